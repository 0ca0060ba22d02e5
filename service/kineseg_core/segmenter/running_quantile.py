"""Running quantiles over the recent past that start from what is known before the stream."""

from __future__ import annotations

import numpy as np

from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps


@within("0 <= _seen")
@keeps("_ring _seen value", fixed="size quantile prior_count")
class RunningQuantile:
    """A quantile of the last `size` values, started from a prior that counts as `prior_count` values at `prior`.

    The prior fades as values come in: of n values seen it weighs max(prior_count - n, 0).
    """

    def __init__(self, size: int, prior: float, prior_count: int, quantile: float = 0.5) -> None:
        self.size, self.quantile, self.prior_count = size, quantile, min(prior_count, size)
        self._ring = np.full(size, prior, dtype=np.float32)
        self._seen = 0
        self.value = prior

    def add(self, value: float) -> None:
        """Takes the next value; the quantile is not computed before `refresh`."""
        self._ring[self._seen % self.size] = value
        self._seen += 1

    def refresh(self) -> float:
        """The quantile now; costs a partial sort of the ring, so it is left to the caller how often."""
        known = max(self.prior_count, min(self._seen, self.size))
        if known:
            # One of the values itself: np.quantile's interpolation costs more than the rest of a refresh.
            rank = round(self.quantile * (known - 1))
            self.value = float(np.partition(self._ring[:known], rank)[rank])
        return self.value
