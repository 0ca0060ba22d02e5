"""What segments a stream, of whichever kind it is, by itself or as a row of a table."""

from __future__ import annotations

from kineseg_core.generic.pattern_plan import PatternPlan
from kineseg_core.generic.pattern_segmenter import PatternSegmenter
from kineseg_core.generic.table import PatternTable, PatternTablePlan, RowPatterns
from kineseg_core.segmenter import Segmenter, SegmenterPlan
from kineseg_core.segmenter.table import RowSegmenter, SegmenterTable, TablePlan

Plan = SegmenterPlan | PatternPlan
Alone = Segmenter | PatternSegmenter
AnyTable = SegmenterTable | PatternTable
InRow = RowSegmenter | RowPatterns
AnyTablePlan = TablePlan | PatternTablePlan


def alone(plan: Plan) -> Alone:
    """What segments a stream and keeps its numbers itself."""
    return PatternSegmenter(plan) if isinstance(plan, PatternPlan) else Segmenter(plan)


def table_plan(plan: Plan) -> AnyTablePlan:
    """What streams like one have in common."""
    return PatternTablePlan.of(plan) if isinstance(plan, PatternPlan) else TablePlan.of(plan)


def new_table(plan: AnyTablePlan, rows: int, max_batch: int) -> AnyTable:
    """For so many streams, of which so many step together at most."""
    if isinstance(plan, PatternTablePlan):
        return PatternTable(plan, rows, max_batch)
    return SegmenterTable(plan, rows, max_batch)


def seat(plan: Plan, table: AnyTable, row: int) -> InRow:
    """What segments a stream whose numbers are kept in a row of a table of such streams."""
    if isinstance(plan, PatternPlan):
        assert isinstance(table, PatternTable)
        return table.seat(row, plan)
    assert isinstance(table, SegmenterTable)
    return table.seat(row, plan)
