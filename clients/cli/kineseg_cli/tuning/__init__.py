"""`kineseg tune`: from annotated recordings to how likely a boundary must be to become final."""
