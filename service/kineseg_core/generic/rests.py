"""Where a signal of few channels stands still: a rest is no repeating pattern, and is detected by a rule of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.stillness import StillnessDetector

# Of the variance of blocks, whose scale the embedding sets, a small share: patterns may have pauses.
UNIT = 0.014
GROUP, GROUPS = 5, 5
"""Blocks in a group, and groups that must stand still."""
LOOK_BACK = 20
"""Blocks that the embedding looks back."""
PATIENCE = 30
"""Blocks after which it is decided whether a rest is over: a glitch has left the embedding by then."""


@keeps("_stillness resting _moved", fixed="_budget")
class RestDetector:
    """Begins a rest once the embedding has been the same for seconds, and ends it where the signal goes on to move.

    Picklable. Units are blocks.

    Args:
        dim: Dimensions of a block.
        budget: Blocks within which a boundary must be decided.

    Attributes:
        resting: Whether the open segment is a rest.
    """

    def __init__(self, dim: int, budget: int) -> None:
        self._budget = max(1, budget)
        self._stillness = StillnessDetector(dim, GROUP, GROUPS)
        self.restart()

    @property
    def still(self) -> bool:
        """Whether the signal stands still now."""
        return self._stillness.still

    def restart(self) -> None:
        """Begins anew."""
        self._stillness.restart()
        self.resting = False
        self._moved = 0  # blocks since it last stood still

    def update(self, block: NDArray[np.float64], count: int, start: int) -> int | None:
        """Takes the next block (dim,), the last of `count`; returns where a rest begins or ends, or None.

        A rest that begins where the open segment does, at `start`, has no boundary.
        """
        still = self._stillness.update(block, UNIT)
        if not self.resting:
            if not still:
                return None
            self.resting, self._moved = True, 0
            begun = count - GROUP * GROUPS - LOOK_BACK
            return max(begun, count - self._budget) if begun > start + LOOK_BACK else None
        self._moved = 0 if still else self._moved + 1
        if self._moved < PATIENCE:
            return None
        if self._stillness.returned:
            self._moved = 0
            return None
        self.resting = False
        return count - min(self._moved, self._budget)
