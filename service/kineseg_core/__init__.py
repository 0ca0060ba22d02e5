"""The algorithm: frames of a stream go in, segments, labels and alerts come out; one process, without a network."""
