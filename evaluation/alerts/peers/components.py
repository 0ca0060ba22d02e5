"""A few principal components of a stream, for methods that can do with few numbers a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.alerts.peers.signal import HeldSignal
from evaluation.alerts.stream import AlertStream

Array = NDArray[np.float64]

_LEAST_SHARE = 0.1  # of the mean deviation, of a channel that hardly moves


class Components:
    """Leading components of the standardised signal.

    Their directions are those of the whole stream as it is, which no one knows while it runs: this favours the peers.
    """

    def __init__(self, stream: AlertStream, count: int) -> None:
        self._signal = HeldSignal()
        rows = HeldSignal().update(stream.values)
        deviations = rows.std(axis=0)
        self._mean, self._scale = rows.mean(axis=0), deviations + _LEAST_SHARE * deviations.mean() + 1e-9
        standard = (rows - self._mean) / self._scale
        self._directions = np.linalg.eigh(standard.T @ standard)[1][:, ::-1][:, :count]

    def update(self, values: Array) -> Array:
        """``(n, count)`` of the next frames."""
        return np.asarray((self._signal.update(values) - self._mean) / self._scale @ self._directions)
