"""How well a few taught examples name the segments of other recordings, and whether what is unknown stays unknown."""
