"""How large a body is in the source's units, from its first seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FIRST_S, _EVERY_S = 3.0, 0.25
_LEAST = 1e-9


class BodyExtent:
    """The median of the first three seconds of the longest side of the box around the body. Picklable.

    Args:
        rate_hz: Frames a second.

    Attributes:
        value: As far as is known.
    """

    def __init__(self, rate_hz: float) -> None:
        self._hop = max(1, round(_EVERY_S * rate_hz))
        self._last = max(1, round(_FIRST_S * rate_hz))
        self._count = 0
        self._seen: list[float] = []
        self.value = 1.0

    def update(self, frame: NDArray[np.float64]) -> None:
        """Takes a frame ``(J, 3)``, NaN: unknown."""
        if self._count <= self._last:
            if self._count % self._hop == 0:
                self._add(frame)
            self._count += 1

    def _add(self, frame: NDArray[np.float64]) -> None:
        seen = frame[~np.isnan(frame).any(axis=1)]
        if len(seen) == 0:
            return
        extent = float(np.ptp(seen, axis=0).max())
        if extent > _LEAST:
            self._seen.append(extent)
            self.value = float(np.median(self._seen))
        if self._count + self._hop > self._last:
            self._seen = []
