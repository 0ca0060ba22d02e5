"""The recipe of the boundary network that the service ships: about 20 minutes of one core and 8 GB."""

from __future__ import annotations

STREAMS = 2400
"""Training streams, about 310 examples of 8.8 kB each."""

STEPS = 16_000
"""Batches of 256, five times through all examples."""

SEED = 0

DISCREPANCY_WEIGHT = 6.0
"""What a kernel discrepancy beyond 0.5 adds to the logit; looked at on the development sets."""

OPERATING_POINT = {"final": 0.4, "margin": 0.2, "surest": 0.85, "provisional": 0.5, "shortest": 10}
"""Looked at on the development sets, too."""
