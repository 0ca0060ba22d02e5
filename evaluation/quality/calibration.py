"""Whether provisional segments are confirmed as often as their confidence says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from kineseg import Segmentation
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """What became of provisional segments, by the confidence that they were first emitted with.

    Attributes:
        counts: Provisional segments in each of `BINS` equal bins from 0 to 1.
        confidence: Their mean confidence; 0 in empty bins.
        confirmed: The share of them that was confirmed; 0 in empty bins.
        brier: Mean squared difference of confidence and outcome.
        error: Expected calibration error: mean absolute difference of the two by bin, weighted by counts.
    """

    counts: tuple[int, ...]
    confidence: tuple[float, ...]
    confirmed: tuple[float, ...]
    brier: float
    error: float

    @property
    def total(self) -> int:
        """Number of provisional segments."""
        return sum(self.counts)


def reliability(results: Iterable[Segmentation]) -> Reliability | None:
    """Over all provisional segments that were confirmed or retracted; None if there were none.

    Segments that were confirmed when first emitted were not provisional.
    """
    decided = [a for result in results for a in result.provisional if a.outcome != "open"]
    if not decided:
        return None
    confidence = np.array([a.confidence for a in decided])
    outcome = np.array([a.outcome == "confirmed" for a in decided], dtype=np.float64)
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = [np.bincount(bins, weights=each, minlength=BINS).astype(np.float64) for each in (confidence, outcome)]
    return _from_sums(counts, sums[0], sums[1], brier=float(np.mean((confidence - outcome) ** 2)))


def pooled(each: Sequence[Reliability]) -> Reliability | None:
    """Over the provisional segments of several; None if there are none."""
    if not each:
        return None
    counts = np.array([r.counts for r in each])
    confidence, confirmed = (
        (counts * np.array([getattr(r, name) for r in each])).sum(axis=0) for name in ("confidence", "confirmed")
    )
    brier = float(np.average([r.brier for r in each], weights=counts.sum(axis=1)))
    return _from_sums(counts.sum(axis=0), confidence, confirmed, brier=brier)


def _from_sums(
    counts: NDArray[np.int64], confidence: NDArray[np.float64], confirmed: NDArray[np.float64], *, brier: float
) -> Reliability:
    """From the number of segments in each bin, the sum of their confidence, and how many of them were confirmed."""
    in_bin = np.maximum(counts, 1)
    return Reliability(
        counts=tuple(counts.tolist()),
        confidence=tuple((confidence / in_bin).tolist()),
        confirmed=tuple((confirmed / in_bin).tolist()),
        brier=brier,
        error=float(np.abs(confidence - confirmed).sum() / counts.sum()),
    )
