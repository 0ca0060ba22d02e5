"""Whether a stream stands still, as a motionless person, an idle machine, a frozen source.

What stands still says nothing about how far apart a stream's blocks usually are, nor what a cut usually gains. If it
went into these scales they would shrink to those of the noise, noise would then be segmented, and of the motion that
follows nothing would be known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.arithmetic import square_between, square_of, sum_of

Array = NDArray[np.float64]

# Variances, in units of the variance of the stream's blocks. Of means over half a second: people standing, in all that
# was looked at, wander by more than 0.0032 in six seconds, and noise of a hundredth of the motion's deviation by less.
WANDERING = 0.0028
SPREAD = 0.03
"""Of single blocks: noise and tremor."""
LEAVING = 2.0
"""Times as much ends it, so that it does not flicker."""
JUMP = 0.15
"""Squared distance of a single block that ends it at once."""


@keeps("still returned _groups _in_group _sum _squares _position _means _spreads", fixed="_size")
class StillnessDetector:
    """Looks at the means of short groups of blocks over the last seconds. Picklable.

    Args:
        dim: Dimensions of a block.
        size: Blocks in a group.
        groups: How many are looked at.

    Attributes:
        still: Whether the stream has stood still for so long.
        returned: Whether the latest group lies where it stood still last, as after a glitch.
    """

    def __init__(self, dim: int, size: int, groups: int) -> None:
        self._size = size
        self._means = np.zeros((groups, dim), np.float32)  # rings, by group
        self._spreads = np.zeros(groups, np.float32)  # variance within each
        self.restart()

    def restart(self) -> None:
        """Begins anew: what came before is not looked at."""
        self.still = self.returned = False
        self._groups = 0
        self._in_group = 0
        self._sum = np.zeros(self._means.shape[1])
        self._squares = 0.0
        self._position = np.zeros_like(self._sum)  # where it stands still

    @property
    def span(self) -> int:
        """Blocks that are looked at."""
        return self._size * len(self._means)

    def update(self, block: NDArray[np.floating], block_variance: float) -> bool:
        """Takes the next block (dim,); `block_variance` is that of blocks in this stream. Returns `still`."""
        self._in_group += 1
        self._sum += block
        self._squares += square_of(block)
        if self.still:
            self.still = square_between(block, self._position) <= JUMP * block_variance
        if self._in_group == self._size:
            self._end_group(block_variance)
        return self.still

    def _end_group(self, block_variance: float) -> None:
        groups, mean = len(self._means), self._sum / self._size
        spread = max(self._squares / self._size - square_of(mean), 0.0)
        away = square_between(mean, self._position)
        self.returned = away <= JUMP * block_variance and spread <= LEAVING * SPREAD * block_variance
        self._means[self._groups % groups] = mean
        self._spreads[self._groups % groups] = spread
        self._groups += 1
        self._in_group, self._squares = 0, 0.0
        self._sum = np.zeros_like(mean)
        if self._groups < groups:
            return
        position = self._means.sum(axis=0, dtype=np.float64) / groups
        wandering = sum_of(np.array([square_between(mean, position) for mean in self._means])) / groups
        spread = wandering + sum_of(self._spreads) / groups
        limit = block_variance * (LEAVING if self.still else 1.0)
        self.still = wandering <= WANDERING * limit and spread <= SPREAD * limit
        if self.still:
            self._position = position
