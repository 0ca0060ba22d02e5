"""How many frames a second arrive, and whether that is what the sender says."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.clocks import SECOND

# 59.94 and its like are taken as 60: with times of frames that makes no difference.
_USUAL = (
    *(10, 12, 12.5, 15, 20, 24, 25, 30, 40, 48, 50, 60, 72, 75, 80, 90, 96, 100, 120, 125, 128, 140, 144, 150, 160),
    *(180, 200, 240, 250, 256, 300, 360, 400, 480, 500, 512, 600, 1000),
)
_NEAR = 0.02  # what is measured for a second is off by so much
_CLAIM = 0.2  # a sender that claims another rate than arrives by more than this is wrong
_HOLE = 5.0  # median steps; what is longer is a gap and says nothing about the rate


def usual_rate(measured: float) -> float:
    """The rate that a source has whose measured one is this: one that devices have, if there is one so near."""
    nearest = min(_USUAL, key=lambda rate: abs(rate - measured))
    return nearest if abs(nearest - measured) <= _NEAR * nearest else measured


def is_claim_true(claimed: float, measured: float) -> bool:
    """Whether what arrives is about what the sender says."""
    return abs(measured - claimed) <= _CLAIM * claimed


def measured_rate(
    times_ns: Sequence[int], steps: Sequence[int], *, bunched: bool, counted: bool = False
) -> float | None:
    """Frames a second.

    Args:
        times_ns: Of n frames.
        steps: ``n - 1`` frames from each to the next, 1 where none is missing.
        bunched: Whether the times are arrivals, which come in bursts.
        counted: Whether the sender counts its frames, so that the steps are sure.

    Returns:
        None if that cannot be said: there are too few, or the clock stands.
    """
    if len(times_ns) < 2:
        return None
    each = np.diff(np.asarray(times_ns, np.float64)) / np.maximum(1, np.asarray(steps, np.float64))
    if bunched and counted:
        mean = _of_the_punctual(np.asarray(times_ns, np.float64), np.cumsum([0, *steps]).astype(np.float64))
    elif bunched:
        mean = float(each.mean())
    else:
        median = float(np.median(each))
        kept = each[(each > 0) & (each <= _HOLE * median)]
        mean = float(kept.mean()) if median > 0 and len(kept) else 0.0
    return SECOND / mean if mean > 0 else None


def _of_the_punctual(times: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """The period of frames that are late by chance, and never early.

    Those that are not late lie on the lower edge of what has come, seen over their count: the longest straight piece
    of its convex hull is theirs.
    """
    hull: list[int] = []
    for at in range(len(times)):
        while len(hull) > 1:
            first, middle = hull[-2], hull[-1]
            rise = (times[middle] - times[first]) * (counts[at] - counts[first])
            if rise < (times[at] - times[first]) * (counts[middle] - counts[first]):
                break
            hull.pop()
        hull.append(at)
    first, last = max(pairwise(hull), key=lambda edge: counts[edge[1]] - counts[edge[0]])
    return float((times[last] - times[first]) / max(1.0, counts[last] - counts[first]))


class Pace:
    """What has arrived lately: rate and jitter, for people, and for noticing that a sender has changed its rate.

    Args:
        seconds: How far back it looks.
    """

    def __init__(self, seconds: float = 5.0) -> None:
        self._window = round(seconds * SECOND)
        self._arrivals: deque[tuple[int, int, int]] = deque()  # arrived, captured, index

    def add(self, arrived_ns: int, captured_ns: int, index: int) -> None:
        """The next frame."""
        self._arrivals.append((arrived_ns, captured_ns, index))
        while self._arrivals[-1][0] - self._arrivals[0][0] > self._window:
            self._arrivals.popleft()

    def clear(self) -> None:
        """Forget what was."""
        self._arrivals.clear()

    @property
    def full(self) -> bool:
        """Whether it has seen most of its window."""
        return len(self._arrivals) > 1 and self._arrivals[-1][0] - self._arrivals[0][0] > 0.8 * self._window

    @property
    def rate(self) -> float:
        """Frames captured a second, gaps left out; 0 if it is not known."""
        if len(self._arrivals) < 2:
            return 0.0
        steps = np.diff(np.array(self._arrivals, np.float64)[:, 1:], axis=0)
        usual = float(np.median(steps[:, 0] / steps[:, 1]))
        return SECOND / usual if usual > 0 else 0.0

    @property
    def arriving(self) -> float:
        """Frames that arrive in a second; 0 if it is not known."""
        if len(self._arrivals) < 2:
            return 0.0
        return (len(self._arrivals) - 1) * SECOND / max(1, self._arrivals[-1][0] - self._arrivals[0][0])

    @property
    def jitter_s(self) -> float:
        """How far arrivals are from regular: the standard deviation of their delay, seconds."""
        if len(self._arrivals) < 3:
            return 0.0
        delays = np.array([arrived - captured for arrived, captured, _ in self._arrivals], np.float64)
        return float((delays - delays.mean()).std()) / SECOND

    @property
    def loss(self) -> float:
        """The share of frames that never came, 0 to 1."""
        if len(self._arrivals) < 2:
            return 0.0
        due = self._arrivals[-1][2] - self._arrivals[0][2]
        return max(0.0, 1.0 - (len(self._arrivals) - 1) / due) if due else 0.0
