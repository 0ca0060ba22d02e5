"""How far apart two moments of a stream usually lie, in the last minute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.blocks import BLOCK_S
from kineseg_core.segmenter.running_quantile import RunningQuantile

F32 = NDArray[np.float32]

_KEPT, _EVERY = 120, 5  # blocks, of which one in so many is kept: a minute
_PAIRS = 2  # distances that are taken of each block
_REFRESHED = 5  # every so many blocks
_LARGEST = 6e4  # that half precision holds
_LEAST = 1e-9  # less than this is rounding


class TypicalDistance:
    """Median squared distance of two blocks of the last minute, from what is known before the stream on. Picklable.

    What stands still says nothing of it and is not to be given.

    Args:
        dim: Dimensions of a block.
        prior: What it usually is.
        prior_s: How many seconds of stream that weighs.
    """

    def __init__(self, dim: int, prior: float, prior_s: float) -> None:
        self._kept = np.zeros((_KEPT, dim), np.float16)
        self._count = 0
        per_minute = _PAIRS * _KEPT * _EVERY
        self._distances = RunningQuantile(per_minute, prior, prior_count=round(_PAIRS * prior_s / BLOCK_S))

    @property
    def variance(self) -> float:
        """Variance of blocks: half their median squared distance, above 0."""
        return max(self._distances.value, _LEAST) / 2.0

    def update(self, block: F32) -> None:
        """Takes the next block (dim,)."""
        block = np.clip(block, -_LARGEST, _LARGEST)
        known = min(-(-self._count // _EVERY), _KEPT)
        for pair in range(_PAIRS if known else 0):
            # Spread over what is kept, and the same in every run.
            row = (self._count * 7 + pair * 41 + self._count // _KEPT) % known
            apart = block - self._kept[row].astype(np.float32)
            self._distances.add(float(apart @ apart))
        if self._count % _EVERY == 0:
            self._kept[self._count // _EVERY % _KEPT] = block
        self._count += 1
        if self._count % _REFRESHED == 0:
            self._distances.refresh()
