"""How far apart neighbouring segments usually are: what a boundary separates differs, which gives distances a unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.labels.repetition import log_distance

Array = NDArray[np.float64]

_USUAL = 2.0  # neighbours at one unit that are taken to have been seen


@within("0 < _count")
@keeps("_last _total _count", grows="_last")
class Neighbours:
    """Mean log squared distance between the means of neighbouring segments of a stream, in its units. Picklable."""

    _last: NDArray[np.float32] | None

    def __init__(self) -> None:
        self._last = None
        self._total, self._count = 0.0, _USUAL

    def usual_with(self, mean: Array, unit: float) -> float:
        """With a segment of this mean (D,) as the next one; changes nothing."""
        total, count = self._with(mean, unit)
        return total / count

    def add(self, mean: Array, unit: float) -> None:
        """Takes the next segment's mean (D,)."""
        self._total, self._count = self._with(mean, unit)
        self._last = mean.astype(np.float32)

    def _with(self, mean: Array, unit: float) -> tuple[float, float]:
        if self._last is None:
            return self._total, self._count
        return self._total + log_distance(self._last.astype(np.float64), mean, unit), self._count + 1.0
