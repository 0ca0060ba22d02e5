"""How far apart two moments of a stream usually lie, in the last minute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.log_distance import BLOCK_STEPS
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.running_quantile import RunningQuantile

Steps = NDArray[np.int16]

KEPT, EVERY = 120, 5
"""Blocks, of which one in so many is kept: a minute."""
PAIRS = 2
"""Distances that are taken of each block."""
DISTANCES = PAIRS * KEPT * EVERY
"""Of a minute."""
REFRESHED = 5
"""The median is taken every so many blocks."""
LEAST = 1e-9
"""What is less is rounding."""


@keeps("_kept _count _distances")
class TypicalDistance:
    """Median squared distance of two blocks of the last minute, from what is known before the stream on. Picklable.

    What stands still says nothing of it and is not to be given.

    Args:
        dim: Dimensions of a block.
        prior: What it usually is.
        prior_s: How many seconds of stream that weighs.
    """

    def __init__(self, dim: int, prior: float, prior_s: float) -> None:
        self._kept = np.zeros((KEPT, dim), np.int16)
        self._count = 0
        self._distances = RunningQuantile(DISTANCES, prior, prior_count=prior_distances(prior_s))

    @property
    def variance(self) -> float:
        """Variance of blocks: half their median squared distance, above 0."""
        return max(self._distances.value, LEAST) / 2.0

    def update(self, block: Steps) -> None:
        """Takes the next block (dim,), in whole numbers, see `log_distance`."""
        known = min(-(-self._count // EVERY), KEPT)
        for pair in range(PAIRS if known else 0):
            # Spread over what is kept, and the same in every run.
            row = (self._count * 7 + pair * 41 + self._count // KEPT) % known
            apart = block.astype(np.int64) - self._kept[row]
            self._distances.add(int(apart @ apart) / BLOCK_STEPS**2)
        if self._count % EVERY == 0:
            self._kept[self._count // EVERY % KEPT] = block
        self._count += 1
        if self._count % REFRESHED == 0:
            self._distances.refresh()


def prior_distances(prior_s: float) -> int:
    """How many distances what is known before the stream counts as."""
    return round(PAIRS * prior_s / BLOCK_S)
