"""What is decided of one row of a table: numbers lie there, segments and labels here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.distances import measure_again
from kineseg_core.boundary_network.layout import REACH
from kineseg_core.boundary_network.log_distance import BLOCK_STEPS
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.decisions import Decision
from kineseg_core.segmenter.network_segments import NetworkSegments
from kineseg_core.segmenter.plan import SegmenterPlan
from kineseg_core.segmenter.table.columns import Columns, clear, restart
from kineseg_core.segmenter.table.frames import first_frame
from kineseg_core.segmenter.table.in_row import InRow
from kineseg_core.segmenter.table.plan import TablePlan
from kineseg_core.segmenter.typical_distance import LEAST

F32 = NDArray[np.float32]


@within(
    "_numbers.lags stays", "_numbers.least stays", "_numbers.n_lags stays", "_numbers.first_final stays",
    "_numbers.window stays", "_numbers.provisional stays", "_numbers.shortest stays", "0 <= _counters.learned",
    "0 <= _counters.block_frames", "0 <= _counters.in_block", "0 <= _counters.scaled", "0 <= _counters.far_kept",
    "0 <= _counters.groups", "0 <= _counters.in_group", "0 <= _counters.typical_count", "0 <= _counters.typical_seen",
)  # fmt: skip
@keeps(fixed="_frames_per_block _views", passing="_numbers")
class RowSegmenter(InRow, NetworkSegments):
    """Boundaries and labels of one stream of a table; what `Segmenter` gives.

    Args:
        plan: How the stream is segmented.
        columns: Of the table.
        row: Of the stream; it begins anew.
    """

    FOLLOWS = frozenset({"logs", "coarse_logs"})

    def __init__(self, plan: SegmenterPlan, columns: Columns, row: int) -> None:
        super().__init__(plan)
        of_table = TablePlan.of(plan)
        clear(columns, row, of_table)
        self._stand_in(columns, row)
        self._frames_per_block = of_table.numbers.frames_per_block
        self._views = plan.views
        self._numbers = columns.decider[row]
        self._decider.keep_in(columns.raw[row], columns.smooth[row])
        numbers = self._decider.numbers()
        for name, value in numbers._asdict().items():
            if isinstance(value, tuple):
                self._numbers[name][: len(value)] = value
            else:
                self._numbers[name] = value
        self._numbers["n_lags"] = len(numbers.lags)
        self._note()

    def check_kept(self) -> None:
        """See `NetworkSegments`."""
        super().check_kept()
        counters = self._counters
        self._check_blocks(int(counters["block_frames"]), int(counters["blocks_made"]), self._frames_per_block)
        # What follows from the rest:
        self._note()
        columns, row, views = self._columns, self._row, self._views
        measure_again(columns.blocks[row], views.ends, views.views, columns.logs[row])
        for blocks, logs in zip(columns.coarse_blocks[row], columns.coarse_logs[row], strict=True):
            measure_again(blocks, views.ends, views.views, logs)

    def follow(self, counts: Sequence[int]) -> list[Decision]:
        """What follows from the frame that the table has taken last.

        Args:
            counts: Numbers of blocks after which anything may follow, see `may_follow`.
        """
        decisions: list[Decision] = []
        if not self._has_open_segment:
            self._begin(self._n_frames - 1, decisions)
        for count in counts:
            self._apply(self._decider.decide(count), decisions)
        if counts:
            self._note()
        return decisions

    def _note(self) -> None:
        """Says in the table when there is something to decide again."""
        numbers, decider = self._numbers, self._decider
        numbers["start"], numbers["near"] = decider.start, decider.newest
        numbers["next_review"] = decider.next_review(self._count)

    @property
    def _count(self) -> int:
        return int(self._counters["count"])

    @property
    def _variance(self) -> float:
        # As `variance_of`, whose call as a kernel takes ten times as long where a row is its own record.
        return max(float(self._counters["typical"]), LEAST) / 2.0

    def restart(self) -> list[Decision]:
        decisions = super().restart()
        self._note()
        return decisions

    def _restart(self) -> None:
        restart(self._columns, self._row)

    def _blocks_of(self, start: int, end: int) -> F32:
        places = np.arange(max(start, self._count - REACH, 0), end) % REACH
        steps: NDArray[np.int16] = self._columns.blocks[self._row].T[places, self._compared]
        return steps.astype(np.float32) / np.float32(BLOCK_STEPS)

    def _frame(self, block: int) -> int:
        return self._first_frame + int(first_frame(block, self._frames_per_block))
