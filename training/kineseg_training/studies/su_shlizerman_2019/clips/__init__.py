"""Clips of several actions after one another, cut and clustered without labels: case (i) of the paper."""
