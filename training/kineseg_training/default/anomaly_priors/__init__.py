"""The priors of the anomaly monitor: how the values of sources without faults are distributed in their tails."""
