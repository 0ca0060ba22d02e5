"""The mean probability of each class of a recogniser over a stretch of the latest frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps

Array = NDArray[np.float64]


@within("0 <= _first", "0 <= _frames")
@keeps("_ring _sum _first _frames", fixed="_block")
class ClassProbabilities:
    """Mean probabilities over short blocks of frames, kept in a ring: boundaries are decided late. Picklable.

    Args:
        classes: K.
        rate_hz: Frames a second.
        block_s: Length of a block, as the segmenter's, so that boundaries lie between blocks.
        horizon_s: How much is kept; of a longer segment the latest part speaks for all of it.
    """

    def __init__(self, classes: int, rate_hz: float, block_s: float, horizon_s: float) -> None:
        self._block = max(1, round(block_s * rate_hz))
        self._ring = np.zeros((max(1, round(horizon_s * rate_hz / self._block)), classes), np.float32)
        self._sum = np.zeros(classes)
        self._first = 0  # frame at which the first block begins
        self._frames = 0  # since then

    def restart(self) -> None:
        """Begins a block at the next frame; what came before is not asked for again."""
        self._first, self._frames = self._first + self._frames, 0
        self._sum[:] = 0.0

    def update(self, scores: NDArray[np.float32]) -> None:
        """Takes the next frame's log-probabilities (K,)."""
        self._sum += np.exp(scores)
        self._frames += 1
        if self._frames % self._block == 0:
            self._ring[(self._frames // self._block - 1) % len(self._ring)] = self._sum / self._block
            self._sum[:] = 0.0

    def mean(self, start: int, end: int, lag: int) -> Array | None:
        """Mean probabilities (K,) over frames [start, end), as far as they are kept; None if there is no block.

        Up to `lag` frames are left out at the beginning, but no more than half.
        """
        start, end = max(start - self._first, 0), end - self._first
        last = min(end, self._frames) // self._block
        first = -(-(start + min(lag, max(end - start, 0) // 2)) // self._block)
        first = max(first, self._frames // self._block - len(self._ring))
        if first >= last:
            return None
        mean: Array = self._ring[np.arange(first, last) % len(self._ring)].mean(axis=0, dtype=np.float64)
        return mean
