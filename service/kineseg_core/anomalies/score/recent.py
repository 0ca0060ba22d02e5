"""The last seconds of a stream, kept for when something is found in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

KEPT_S = 1.5


class Recent(NamedTuple):
    """The last second and a half of frames and severities, rings of n rows.

    Attributes:
        frames: ``(n, D, U)`` relative to the origin: 32 bits are enough for what has changed since.
        origin: ``(D, U)`` the first frame.
        severities: ``(n, K)`` of each detector.
        tops: ``(n, K)`` of each detector its most severe value.
        times_s: ``(n,)``
        rows_kept: ``(1,)`` rows so far.
    """

    frames: F32
    origin: F64
    severities: F32
    tops: NDArray[np.int16]
    times_s: F64
    rows_kept: NDArray[np.int64]

    def rows(self) -> tuple[F64, F64, F64, NDArray[np.int16]]:
        """Times ``(n,)``, frames ``(n, U, D)``, severities and most severe values ``(n, K)``, oldest first."""
        count = int(self.rows_kept[0])
        order = np.arange(max(0, count - len(self.frames)), count) % len(self.frames)
        frames = np.ascontiguousarray((self.frames[order] + self.origin).swapaxes(1, 2))
        return self.times_s[order], frames, self.severities[order].astype(np.float64), self.tops[order]


def new_recent(units: int, numbers: int, detectors: int, rate_hz: float) -> Recent:
    """Nothing has been seen yet.

    Args:
        units: U.
        numbers: D numbers a unit has.
        detectors: K.
        rate_hz: Rows a second.
    """
    rows = max(4, round(KEPT_S * rate_hz))
    return Recent(
        np.zeros((rows, numbers, units), np.float32),
        np.zeros((numbers, units)),
        np.full((rows, detectors), -np.inf, np.float32),
        np.zeros((rows, detectors), np.int16),
        np.zeros(rows),
        np.zeros(1, np.int64),
    )


@kernel(inlined=True)
def keep(recent, time_s, frame, severities, tops):  # type: ignore[no-untyped-def]
    """Takes a row: the frame ``(D, U)``, NaN where unknown, and of each detector severity and most severe value."""
    origin, row = recent.origin, recent.rows_kept[0] % len(recent.frames)
    for i in range(len(frame)):
        first, now, kept = origin[i], frame[i], recent.frames[row, i]
        if recent.rows_kept[0] == 0:
            for unit in range(len(now)):
                first[unit] = 0.0 if np.isnan(now[unit]) else now[unit]
        for unit in range(len(now)):
            kept[unit] = now[unit] - first[unit]
    for d in range(len(severities)):
        recent.severities[row, d] = severities[d]
        recent.tops[row, d] = tops[d]
    recent.times_s[row] = time_s
    recent.rows_kept[0] += 1
