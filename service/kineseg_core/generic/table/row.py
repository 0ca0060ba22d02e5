"""What is decided of one row of a table: its frames are counted there, blocks, segments and labels are kept here."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_segments import PatternSegments
from kineseg_core.generic.table.columns import PatternColumns, clear, restart
from kineseg_core.generic.table.plan import PatternTablePlan
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter import Decision


@within(
    "0 <= _counters.in_block", "_in_block < _block_frames", "_first_frame <= _n_frames",
    "0 <= _counters.surprise_count", "0 <= _counters.baseline_seen", "-1e15 <= _sums <= 1e15",
)  # fmt: skip
@keeps("_of_row", passing="_columns _row _counters _sums")
class RowPatterns(PatternSegments):
    """Boundaries and labels of one stream of a table; what `PatternSegmenter` gives.

    Args:
        plan: How the stream is segmented.
        columns: Of the table.
        row: Of the stream; it begins anew.
    """

    def __init__(self, plan: PatternPlan, columns: PatternColumns, row: int) -> None:
        super().__init__(plan)
        clear(columns, row, PatternTablePlan.of(plan))
        self._columns, self._row = columns, row
        self._of_row = tuple(column[row : row + 1] for column in columns)
        self._counters, self._sums = columns.counters[row], columns.sums[row]

    @property
    def begins(self) -> bool:
        """The frame that has come begins a segment: it is the first of the stream, or after an interruption."""
        return not self._has_open_segment

    @property
    def anomaly_score(self) -> float:
        return float(self._counters["surprise"])

    @property
    def _n_frames(self) -> int:
        return int(self._counters["frames"])

    @property
    def _in_block(self) -> int:
        return int(self._counters["in_block"])

    def check_kept(self) -> None:
        """See `PatternSegments`."""
        super().check_kept()
        self._counters["still"] = self._rests.still  # which follows from the rest

    def follow(self, counts: Sequence[int]) -> list[Decision]:
        """What follows from the frame that the table has taken last.

        Args:
            counts: Not empty where it has completed a block.
        """
        decisions: list[Decision] = []
        if not self._has_open_segment:
            self._begin(self._n_frames - 1, decisions)
        if counts:
            block = self._sums / self._block_frames
            self._sums[:] = 0.0
            self._counters["in_block"] = 0
            self._take_block(block, decisions)
            self._counters["still"] = self._rests.still
        return decisions

    def _restart(self) -> None:
        restart(self._columns, self._row)
