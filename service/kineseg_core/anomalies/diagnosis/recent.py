"""The last seconds of a stream, kept for when something is found in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

KEPT_S = 1.5


class Recent:
    """The last second and a half of frames and severities. Picklable.

    Args:
        units: U.
        numbers: D numbers a unit has.
        detectors: K.
        rate_hz: Rows a second.
    """

    def __init__(self, units: int, numbers: int, detectors: int, rate_hz: float) -> None:
        rows = max(4, round(KEPT_S * rate_hz))
        self._frames = np.zeros((rows, units, numbers), np.float32)
        self._severities = np.full((rows, detectors), -np.inf, np.float16)
        self._tops = np.zeros((rows, detectors), np.int16)
        self._times_s = np.zeros(rows)
        self._origin: F64 | None = None
        self._count = 0

    def add(self, time_s: float, frame: F64, severities: F64, tops: NDArray[np.int64]) -> None:
        """Takes a row: the frame ``(U, D)``, NaN where unknown, and of each detector severity and most severe value."""
        if self._origin is None:
            self._origin = np.nan_to_num(frame)  # 32 bits are enough for what has changed since
        row = self._count % len(self._frames)
        np.subtract(frame, self._origin, out=self._frames[row], casting="same_kind")
        self._severities[row] = severities
        self._tops[row] = tops
        self._times_s[row] = time_s
        self._count += 1

    def rows(self) -> tuple[F64, F64, F64, NDArray[np.int16]]:
        """Times ``(n,)``, frames ``(n, U, D)``, severities and most severe values ``(n, K)``, oldest first."""
        kept = min(self._count, len(self._frames))
        order = np.arange(self._count - kept, self._count) % len(self._frames)
        frames = self._frames[order].astype(np.float64)
        if self._origin is not None:
            frames += self._origin
        return self._times_s[order], frames, self._severities[order].astype(np.float64), self._tops[order]
