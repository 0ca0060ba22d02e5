"""What is decided of one row of a table: its numbers lie there, segments and labels are kept here."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_segments import PatternSegments
from kineseg_core.generic.table.columns import PatternColumns, clear, restart
from kineseg_core.generic.table.plan import PatternTablePlan
from kineseg_core.generic.table.row_blocks import RowBlocks
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter import Decision
from kineseg_core.segmenter.table.in_row import InRow


@within(
    "0 <= _counters.in_block", "_in_block < _block_frames", "_first_frame <= _n_frames",
    "0 <= _counters.start <= _counters.count", "_counters.budget stays", "0 <= _counters.waiting < len(_blocks.scores)",
    "0 <= _counters.background_seen", "0 <= _counters.groups", "0 <= _counters.in_group",
    "0 <= _counters.moved <= _counters.count", "-1e15 <= _sums <= 1e15",
)  # fmt: skip
@keeps(passing="_blocks _sums")
class RowPatterns(InRow, PatternSegments):
    """Boundaries and labels of one stream of a table; what `PatternSegmenter` gives.

    Args:
        plan: How the stream is segmented.
        columns: Of the table.
        row: Of the stream; it begins anew.
    """

    def __init__(self, plan: PatternPlan, columns: PatternColumns, row: int) -> None:
        super().__init__(plan)
        of_table = PatternTablePlan.of(plan)
        clear(columns, row, of_table, plan.budget)
        self._stand_in(columns, row)
        self._sums = columns.sums[row]
        self._blocks = RowBlocks(columns, row, of_table.boundaries)

    @property
    def _boundaries(self) -> RowBlocks:
        return self._blocks

    @property
    def _in_block(self) -> int:
        return int(self._counters["in_block"])

    def follow(self, boundaries: Sequence[int]) -> list[Decision]:
        """What follows from the frame that the table has taken last.

        Args:
            boundaries: That are decided with it: one, or none.
        """
        decisions: list[Decision] = []
        if not self._has_open_segment:
            self._begin(self._n_frames - 1, decisions)
        for boundary in boundaries:
            self._cut(boundary, decisions)
        return decisions

    def _restart(self) -> None:
        restart(self._columns, self._row)
