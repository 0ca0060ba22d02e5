"""How many robust deviations a channel, or its change from one frame to the next, is away from its median of late."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from evaluation.alerts.peers.signal import HeldSignal, RecentRows
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.watch import Alarm

Array = NDArray[np.float64]

MEMORY_S, EVERY_S, KEPT_HZ = 60.0, 1.0, 10.0
WARM_S = 5.0
CLIP, SMOOTH_S = 50.0, 0.15
_MAD = 1.4826  # deviations of a normal distribution
_LEAST_SHARE = 0.05  # of the median deviation, of a channel that hardly moves


class _Scores:
    """Robust z-scores of rows of numbers, by what was seen before."""

    def __init__(self, rate: float, groups: int) -> None:
        self._recent = RecentRows(rate, memory_s=MEMORY_S, every_s=EVERY_S, kept_rate=KEPT_HZ)
        self._warm = round(WARM_S * min(rate, KEPT_HZ))
        self._groups = groups  # of columns of one kind, side by side
        self._level: tuple[Array, Array] | None = None

    def update(self, rows: Array) -> Array:
        """``(n, C)`` of the next rows; 0 while too few have been seen."""
        return self._recent.scored(rows, self._renew, self._score)

    def _renew(self) -> None:
        past = self._recent.matrix()
        if len(past) < self._warm:
            return
        median = np.median(past, axis=0)
        deviation = _MAD * np.median(np.abs(past - median), axis=0)
        least = _LEAST_SHARE * np.median(deviation.reshape(self._groups, -1), axis=1)
        self._level = median, np.maximum(deviation, np.repeat(least, len(deviation) // self._groups)) + 1e-9

    def _score(self, rows: Array) -> Array:
        if self._level is None:
            return np.zeros(rows.shape)
        median, deviation = self._level
        return np.asarray(np.abs(rows - median) / deviation)


class LargestZ:
    """The largest robust z-score of all channels and their changes: for what is wrong with one of them at once."""

    def __init__(self, stream: AlertStream) -> None:
        self.alarms: list[Alarm] = []
        self._signal = HeldSignal()
        self._scores = _Scores(stream.recording.rate, groups=2)
        self._before: Array | None = None

    def update(self, values: Array, times: Array) -> Array:
        """See `Detector`."""
        rows = self._signal.update(values)
        changes = np.diff(rows, axis=0, prepend=rows[:1] if self._before is None else self._before)
        self._before = rows[-1:]
        return np.asarray(self._scores.update(np.hstack([rows, changes])).max(axis=1))


class OverallZ:
    """Root mean square of the robust z-scores of all channels, smoothed: for what is wrong with many for a while."""

    def __init__(self, stream: AlertStream) -> None:
        self.alarms: list[Alarm] = []
        self._signal = HeldSignal()
        self._scores = _Scores(stream.recording.rate, groups=1)
        self._share = 1.0 - float(np.exp(-1.0 / (SMOOTH_S * stream.recording.rate)))
        self._smooth = np.zeros(1)

    def update(self, values: Array, times: Array) -> Array:
        """See `Detector`."""
        clipped = np.minimum(self._scores.update(self._signal.update(values)), CLIP)
        overall = np.sqrt((clipped**2).mean(axis=1))
        smooth, self._smooth = lfilter([self._share], [1.0, self._share - 1.0], overall, zi=self._smooth)
        return np.asarray(smooth)
