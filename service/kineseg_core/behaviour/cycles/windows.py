"""A stream's frames as overlapping windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.behaviour.cycles.pairs import Pair
from kineseg_core.behaviour.cycles.window import Window, window_of
from kineseg_core.intake.watch import Place
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps

_LENGTH_S, _HOP_S = 4.0, 2.0
_MEMORY_S = 600.0


@within("0 <= _count <= _length", "_count == len(_places)", "0 <= _variance", "0 <= _seen")
@keeps("_frames _places _count _mean _variance _seen", fixed="_rate_hz _pairs _length _hop")
class Windows:
    """Takes frames one by one. Picklable.

    Args:
        channels: C, numbers in a frame.
        rate_hz: Frames a second.
        pairs: Limbs of both sides.
    """

    _places: list[Place]

    def __init__(self, channels: int, rate_hz: float, pairs: Sequence[Pair]) -> None:
        self._rate_hz = rate_hz
        self._pairs = tuple(pairs)
        self._length = max(8, round(_LENGTH_S * rate_hz))
        self._hop = max(4, round(_HOP_S * rate_hz))
        self._frames = np.zeros((self._length, channels), np.float32)
        self._places = []
        self._count = 0
        self._mean = np.zeros(channels)
        self._variance = np.zeros(channels)
        self._seen = 0.0

    def push(self, frame: NDArray[np.floating], place: Place) -> Window | None:
        """Takes a frame (C,) and gives the window that it completes, which ends before it or, at the latest, there."""
        window = None
        if self._count == self._length:
            window = self._window(place)
            self._frames[: self._length - self._hop] = self._frames[self._hop :].copy()
            del self._places[: self._hop]
            self._count -= self._hop
        self._frames[self._count] = frame
        self._places.append(place)
        self._count += 1
        return window

    def restart(self) -> None:
        """The stream was interrupted: the next frame follows none."""
        self._count = 0
        self._places.clear()

    def _window(self, end: Place) -> Window:
        frames = self._frames.astype(np.float64)
        self._learn(frames[: self._hop])
        scale = np.sqrt(self._variance)
        scale[scale <= 1e-9 * (1.0 + np.abs(self._mean))] = 0.0
        return window_of(frames, scale, self._rate_hz, self._pairs, self._places[0], end)

    def _learn(self, frames: NDArray[np.float64]) -> None:
        """Mean and variance of each channel."""
        most = max(1.0, _MEMORY_S / _HOP_S)
        self._seen = min(self._seen + 1.0, most)
        share = 1.0 / self._seen
        mean, variance = frames.mean(axis=0), frames.var(axis=0)
        off = mean - self._mean
        self._mean += share * off
        self._variance += share * (variance + (1.0 - share) * off * off - self._variance)
