"""How far two segmentations of one motion agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

TOLERANCE_S = 0.5
GRID_HZ = 100.0  # results are compared at this rate


@dataclass(frozen=True, eq=False)
class Result:
    """A final segmentation in seconds.

    Attributes:
        starts: ``(K,)`` where each segment begins, the first at 0.
        labels: ``(K,)`` their labels.
        decided: ``(K,)`` when each was certain.
        duration_s: Of the whole stream.
    """

    starts: NDArray[np.float64]
    labels: NDArray[np.int64]
    decided: NDArray[np.float64]
    duration_s: float

    @property
    def boundaries(self) -> NDArray[np.float64]:
        """``(K - 1,)`` where one segment gives way to the next."""
        return self.starts[1:]

    def labels_at(self, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """The label at each of these times."""
        return self.labels[np.maximum(np.searchsorted(self.starts, times, side="right") - 1, 0)]

    def played(self, tempo: float) -> Result:
        """The same segments of the same motion `tempo` times as fast."""
        return Result(self.starts / tempo, self.labels, self.decided / tempo, self.duration_s / tempo)


@dataclass(frozen=True)
class Agreement:
    """How far two results on one motion agree.

    Attributes:
        kept: Share of the first one's boundaries that have a partner in the second within the tolerance.
        f1: F1 of the second one's boundaries against the first one's.
        ari: Adjusted Rand index of their labels over time.
    """

    kept: float
    f1: float
    ari: float


def compare(before: Result, now: Result, tolerance_s: float = TOLERANCE_S) -> Agreement:
    """How far the result `now` agrees with that `before`; both in the same time."""
    hits = len(matched(before.boundaries, now.boundaries, tolerance_s))
    either = len(before.boundaries) + len(now.boundaries)
    times = np.arange(0.0, min(before.duration_s, now.duration_s), 1.0 / GRID_HZ)
    return Agreement(
        kept=hits / len(before.boundaries) if len(before.boundaries) else 1.0,
        f1=2.0 * hits / either if either else 1.0,
        ari=float(adjusted_rand_score(before.labels_at(times), now.labels_at(times))),
    )


def matched(a: NDArray[np.float64], b: NDArray[np.float64], tolerance: float) -> list[tuple[int, int]]:
    """As many pairs of places in two rising sequences as there can be, none further apart than `tolerance`."""
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if abs(a[i] - b[j]) <= tolerance:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return pairs
