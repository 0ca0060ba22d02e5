"""Whether provisional segments are confirmed as often as their confidence says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from kineseg import Segmentation

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
    each = np.maximum(counts, 1)
    mean_confidence = np.bincount(bins, weights=confidence, minlength=BINS) / each
    share = np.bincount(bins, weights=outcome, minlength=BINS) / each
    return Reliability(
        counts=tuple(counts.tolist()),
        confidence=tuple(mean_confidence.tolist()),
        confirmed=tuple(share.tolist()),
        brier=float(np.mean((confidence - outcome) ** 2)),
        error=float((counts * np.abs(mean_confidence - share)).sum() / len(decided)),
    )
