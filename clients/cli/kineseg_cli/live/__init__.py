"""Live sources segmented: what `kineseg stream` does."""
