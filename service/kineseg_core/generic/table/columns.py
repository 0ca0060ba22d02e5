"""What is kept of the frames of many streams: an array a quantity, a row a stream."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.generic.table.plan import PatternTablePlan

Array = NDArray[Any]

COUNTERS = np.dtype(
    [
        ("frames", np.int64),
        ("in_block", np.int64),
        ("surprise_count", np.int64),
        ("surprise", np.float64),
        ("baselines", np.float64, (2, 2)),
        ("baseline_seen", np.int64, (2,)),
        ("still", np.bool_),
    ]
)
"""Frames in all, and of the open block; frames that surprise was seen of since the last interruption, its score; median
and median absolute deviation of its logarithm in motion and standing still, and how many values each is of; whether the
stream stands still."""


class PatternColumns(NamedTuple):
    """N streams.

    Attributes:
        counters: ``(N,)`` of `COUNTERS`.
        sums: ``(N, E)`` of the embeddings of the open block.
        surprises: ``(N, 4, S)`` log surprise and its deviation, moving and standing.
    """

    counters: Array
    sums: Array
    surprises: Array


def new_columns(plan: PatternTablePlan, rows: int) -> PatternColumns:
    """Room for so many streams; what is in a row means nothing before `clear`."""
    return PatternColumns(
        counters=np.zeros(rows, COUNTERS),
        sums=np.zeros((rows, plan.dim)),
        surprises=np.zeros((rows, 4, plan.surprise.horizon), np.float32),
    )


def clear(columns: PatternColumns, row: int, plan: PatternTablePlan) -> None:
    """Begins a row anew: nothing has been seen of its stream."""
    for column in columns:
        column[row] = np.zeros((), column.dtype)
    columns.counters[row]["baselines"] = plan.surprise.median, plan.surprise.deviation
    columns.surprises[row, 0::2] = plan.surprise.median
    columns.surprises[row, 1::2] = plan.surprise.deviation


def restart(columns: PatternColumns, row: int) -> None:
    """The stream of a row was interrupted: what is usual in it is kept."""
    counters = columns.counters[row]
    for of_what_came in ("in_block", "surprise_count", "surprise", "still"):
        counters[of_what_came] = 0
    columns.sums[row] = 0.0
