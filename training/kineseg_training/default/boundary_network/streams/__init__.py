"""Training streams: bodies, sensors on bodies, processes and idle ones, each with the boundaries it was made with."""
