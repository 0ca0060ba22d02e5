"""Values of each joint or channel that grow with what may be wrong with it, made frame by frame."""
