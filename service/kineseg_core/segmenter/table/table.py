"""Many streams of one model, a row each: all that came go through a step together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kineseg_core.blocks import BLOCK_S
from kineseg_core.boundary_network.looked import room_for
from kineseg_core.boundary_network.network import BoundaryNetwork
from kineseg_core.segmenter.plan import SegmenterPlan
from kineseg_core.segmenter.table.columns import new_columns
from kineseg_core.segmenter.table.handle import COMING, made_handle
from kineseg_core.segmenter.table.plan import TablePlan
from kineseg_core.segmenter.table.row_segmenter import RowSegmenter
from kineseg_core.segmenter.table.rows import decide_rows, observe_rows, take_blocks

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]


class SegmenterTable:
    """The numbers of all segmenters of a model. To be used by one thread at a time.

    Args:
        plan: What the streams have in common.
        rows: How many there may be.
        max_batch: How many step together at most.
        at_once: How many of these the kernels take at once. A look is 17 KiB for the network, and streams that have
            come equally far are all looked at in the same step: room for all would hardly ever be used.

    Attributes:
        plan: As given.
        columns: The numbers.
    """

    def __init__(self, plan: TablePlan, rows: int, max_batch: int, at_once: int = 32) -> None:
        self.plan = plan
        self.columns = new_columns(plan, rows)
        # So many blocks may come with a frame.
        most = max(1, int(1.0 / (BLOCK_S * plan.views.rate_hz) + 1.0))
        at_once = self._at_once = min(max_batch, at_once)
        self._looked, self._follows = room_for(at_once * most), np.zeros(at_once * most, np.bool_)
        # What follows keeps the memory of the handle's other arrays.
        made, coming = np.zeros((at_once, most, plan.views.dims), np.float32), np.zeros(at_once, COMING)
        self._lasting = plan.views.ends, plan.views.views, made, coming
        self._handle = made_handle(self.columns, plan.numbers, *self._lasting, self._looked, self._follows)

    @property
    def row_bytes(self) -> int:
        """What a stream takes in it."""
        return sum(column[:1].nbytes for column in self.columns)

    def seat(self, row: int, plan: SegmenterPlan) -> RowSegmenter:
        """A stream, like all those of the table, begins in a row that is no other stream's."""
        return RowSegmenter(plan, self.columns, row)

    def step(
        self, rows: I64, frames: F32, embeddings: F32, surprises: F32, network: BoundaryNetwork
    ) -> Mapping[int, list[int]]:
        """Takes the next frame of some rows; what follows for a row depends on no other row.

        Args:
            rows: ``(N,)`` each once.
            frames: ``(N, C)``
            embeddings: ``(N, E)``
            surprises: ``(N,)``
            network: What looks at candidates.

        Returns:
            For each place in `rows` from which anything may follow, for `RowSegmenter.follow`: after how many blocks.
        """
        found: dict[int, list[int]] = {}
        for first in range(0, len(rows), self._at_once):
            some = slice(first, first + self._at_once)
            self._step(first, rows[some], frames[some], embeddings[some], surprises[some], network, found)
        return found

    def _step(
        self,
        first: int,
        rows: I64,
        frames: F32,
        embeddings: F32,
        surprises: F32,
        network: BoundaryNetwork,
        found: dict[int, list[int]],
    ) -> None:
        """Takes those whose places begin with `first`, and writes what follows."""
        observe_rows(self._handle, rows, frames, embeddings, surprises)
        took, looks = take_blocks(self._handle, rows)
        while took:
            probabilities = network.of_table(self._looked, looks)
            decide_rows(self._handle, rows, took, probabilities)
            for place, count in self._looked.of[:took][self._follows[:took], :2].tolist():
                found.setdefault(first + place, []).append(count)
            if not self.plan.slow:  # there is one at most
                return
            took, looks = take_blocks(self._handle, rows)
