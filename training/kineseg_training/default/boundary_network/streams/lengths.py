"""How long segments are: within a stream alike, between streams from under a second to a minute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kineseg_training.default.boundary_network.streams.curves import log_uniform

USUAL_S, LONG_S = 80.0, 150.0
"""How long a stream is that has usual segments, and at most one that has long ones."""

_LONG_SHARE = 0.15


@dataclass(frozen=True)
class Lengths:
    """How long the segments of a stream are.

    Attributes:
        low_s, high_s: Shortest and longest, seconds.
        total_s: Of the whole stream.
    """

    low_s: float
    high_s: float
    total_s: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Lengths:
        """Of one stream."""
        if rng.random() < _LONG_SHARE:
            low = log_uniform(rng, 6.0, 25.0)
            return cls(low, min(60.0, low * rng.uniform(1.5, 6.0)), rng.uniform(USUAL_S, LONG_S))
        low = log_uniform(rng, 0.7, 8.0)
        return cls(low, min(24.0, low * rng.uniform(1.5, 5.0)), USUAL_S)

    def one(self, rng: np.random.Generator) -> float:
        """Seconds of one segment."""
        return log_uniform(rng, self.low_s, self.high_s)
