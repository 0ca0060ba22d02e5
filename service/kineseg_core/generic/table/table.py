"""Many streams of as many channels at the same rate, a row each: all that came go through a step together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_settings import ties
from kineseg_core.generic.table.columns import new_columns
from kineseg_core.generic.table.frames import take_frames
from kineseg_core.generic.table.plan import PatternTablePlan
from kineseg_core.generic.table.rests import NONE
from kineseg_core.generic.table.row import RowPatterns

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]


class PatternTable:
    """The numbers of all segmenters of a model. To be used by one thread at a time. As `SegmenterTable` is.

    Args:
        plan: What the streams have in common.
        rows: How many there may be.
        max_batch: How many step together at most.

    Attributes:
        plan: As given.
        columns: The numbers.
    """

    def __init__(self, plan: PatternTablePlan, rows: int, max_batch: int) -> None:
        self.plan = plan
        self.columns = new_columns(plan, rows)
        self._numbers = plan.numbers
        self._ties = ties(plan.boundaries.horizon)
        self._decided = np.zeros(max_batch, np.int64)

    def seat(self, row: int, plan: PatternPlan) -> RowPatterns:
        """A stream, like all those of the table, begins in a row that is no other stream's."""
        return RowPatterns(plan, self.columns, row)

    def step(
        self, rows: I64, frames: F32, embeddings: F32, surprises: F32, network: BoundaryNetwork
    ) -> Mapping[int, list[int]]:
        """Takes the next frame of some rows; what follows for a row depends on no other row.

        Args:
            rows: ``(N,)`` each once.
            frames: ``(N, C)``; patterns are those of the embeddings.
            embeddings: ``(N, E)``
            surprises: ``(N,)``
            network: Is not asked: there are no candidates.

        Returns:
            For each place in `rows` at which a boundary is decided, for `RowPatterns.follow`: that boundary.
        """
        decided = self._decided[: len(rows)]
        take_frames(self.columns, self._numbers, self._ties, rows, embeddings, surprises, decided)
        return {place: [int(decided[place])] for place in np.flatnonzero(decided != NONE).tolist()}
