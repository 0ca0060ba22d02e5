"""From what detectors saw to the kind of anomaly and its units, each kind by a small rule in a file of its own."""
