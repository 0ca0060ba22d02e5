"""Annotated takes, segmented with the oracle of the published script and without it: case (ii) of the paper."""
