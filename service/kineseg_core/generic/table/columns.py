"""What is kept of many streams of few channels: an array a quantity, a row a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.generic.pattern_settings import NOT_THERE
from kineseg_core.generic.rests import GROUPS
from kineseg_core.generic.table.plan import PatternTablePlan
from kineseg_core.memory.sparse import sparse_zeros

Array = NDArray[Any]

COUNTERS = np.dtype(
    [
        ("frames", np.int64),
        ("in_block", np.int64),
        ("count", np.int64),
        ("start", np.int64),
        ("budget", np.int64),
        ("waiting", np.int64),
        ("background_seen", np.int64),
        ("groups", np.int64),
        ("in_group", np.int64),
        ("squares", np.float64),
        ("moved", np.int64),
        ("surprise_count", np.int64),
        ("surprise", np.float64),
        ("baselines", np.float64, (2, 2)),
        ("baseline_seen", np.int64, (2,)),
        ("still", np.bool_),
        ("returned", np.bool_),
        ("resting", np.bool_),
    ]
)
"""Frames in all, and of the open block; blocks since the last interruption, the first of the open segment, and within
how many a boundary is decided; scores that may belong to a boundary, and how many the background is of; groups of
blocks, blocks in the open one and its sum of squares; blocks since a rest last stood still; frames that surprise was
seen of since the last interruption, its score; median and median absolute deviation of its logarithm in motion and
standing still, and how many values each is of; whether the stream stands still, whether it is where it stood still
last, and whether the open segment is a rest."""


class PatternColumns(NamedTuple):
    """N streams.

    Attributes:
        counters: ``(N,)`` of `COUNTERS`.
        sums: ``(N, E)`` of the embeddings of the open block.
        surprises: ``(N, 4, S)`` log surprise and its deviation, moving and standing.
        past, distances, farthest, nearest: ``(N, E, H)``, ``(N, H, K)``, ``(N, H)``, ``(N, H, K)`` see `Links`.
        scores: ``(N, W)`` that may still belong to a boundary.
        background: ``(N, B)`` scores that do not.
        means, spreads: ``(N, GROUPS, E)``, ``(N, GROUPS)`` of groups of blocks.
        group: ``(N, E)`` sum of the open group.
        position: ``(N, E)`` where the stream stands still.
    """

    counters: Array
    sums: Array
    surprises: Array
    past: Array
    distances: Array
    farthest: Array
    nearest: Array
    scores: Array
    background: Array
    means: Array
    spreads: Array
    group: Array
    position: Array


def new_columns(plan: PatternTablePlan, rows: int) -> PatternColumns:
    """Room for so many streams; what is in a row means nothing before `clear`."""
    dim, settings = plan.dim, plan.boundaries
    horizon, k = settings.horizon, settings.neighbours
    shapes: Mapping[str, tuple[tuple[int, ...], Any]] = {
        "counters": ((), COUNTERS),
        "sums": ((dim,), np.float64),
        "surprises": ((4, plan.surprise.horizon), np.float32),
        "past": ((dim, horizon), np.float32),
        "distances": ((horizon, k), np.float32),
        "farthest": ((horizon,), np.float32),
        "nearest": ((horizon, k), np.int32),
        "scores": ((settings.scores_waiting + 1,), np.float64),
        "background": ((settings.background_size,), np.float32),
        "means": ((GROUPS, dim), np.float32),
        "spreads": ((GROUPS,), np.float32),
        "group": ((dim,), np.float64),
        "position": ((dim,), np.float64),
    }
    return PatternColumns(**{name: sparse_zeros((rows, *shape), kind) for name, (shape, kind) in shapes.items()})


def clear(columns: PatternColumns, row: int, plan: PatternTablePlan, budget: int) -> None:
    """Begins a row anew: nothing has been seen of its stream, whose boundaries are decided within `budget` blocks."""
    for column in columns:
        column[row] = np.zeros((), column.dtype)
    counters = columns.counters[row]
    counters["budget"] = max(1, budget)
    counters["baselines"] = plan.surprise.median, plan.surprise.deviation
    columns.surprises[row, 0::2] = plan.surprise.median
    columns.surprises[row, 1::2] = plan.surprise.deviation
    columns.background[row] = plan.boundaries.background_prior
    restart(columns, row)


def restart(columns: PatternColumns, row: int) -> None:
    """The stream of a row was interrupted: what is usual in it is kept."""
    counters = columns.counters[row]
    for of_what_came in (
        *("in_block", "count", "start", "waiting", "groups", "in_group", "squares", "moved"),
        *("surprise_count", "surprise", "still", "returned", "resting"),
    ):
        counters[of_what_came] = 0
    for column in (columns.sums, columns.group, columns.position):
        column[row] = 0.0
    columns.distances[row] = columns.farthest[row] = NOT_THERE
    columns.nearest[row] = -1
