"""What the principal components of late do not explain of a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.alerts.peers.signal import HeldSignal, RecentRows
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.watch import Alarm

Array = NDArray[np.float64]

MEMORY_S, EVERY_S, KEPT_HZ = 60.0, 2.0, 10.0
WARM_S = 5.0
KEPT_SHARE = 0.95  # of the variance
_LEAST_SHARE = 0.1  # of the mean deviation, of a channel that hardly moves


class PcaError:
    """Length of the part of a standardised frame that lies outside of the components' space (Q statistic)."""

    def __init__(self, stream: AlertStream) -> None:
        rate = stream.recording.rate
        self.alarms: list[Alarm] = []
        self._signal = HeldSignal()
        self._recent = RecentRows(rate, memory_s=MEMORY_S, every_s=EVERY_S, kept_rate=KEPT_HZ)
        self._warm = round(WARM_S * min(rate, KEPT_HZ))
        self._basis: tuple[Array, Array, Array] | None = None

    def update(self, values: Array, times: Array) -> Array:
        """See `Detector`."""
        return self._recent.scored(self._signal.update(values), self._renew, self._score)

    def _renew(self) -> None:
        past = self._recent.matrix()
        if len(past) < self._warm:
            return
        mean, deviation = past.mean(axis=0), past.std(axis=0)
        deviation = deviation + _LEAST_SHARE * deviation.mean() + 1e-9
        _, sizes, directions = np.linalg.svd((past - mean) / deviation, full_matrices=False)
        explained = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-12)
        kept = min(int(np.searchsorted(explained, KEPT_SHARE)) + 1, max(1, len(mean) - 1))
        self._basis = mean, deviation, directions[:kept]

    def _score(self, rows: Array) -> Array:
        if self._basis is None:
            return np.zeros(len(rows))
        mean, deviation, directions = self._basis
        standard = (rows - mean) / deviation
        return np.asarray(np.linalg.norm(standard - standard @ directions.T @ directions, axis=1))
