"""What is kept of many streams: an array a quantity, a row a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.decider import KEPT as CANDIDATES
from kineseg_core.boundary_network.decider import MOST_LAGS
from kineseg_core.boundary_network.layout import COARSE, FAR, REACH, STRETCHES, VIEWS
from kineseg_core.memory.sparse import sparse_zeros
from kineseg_core.segmenter.still_groups import STILL_GROUPS
from kineseg_core.segmenter.table.plan import TablePlan
from kineseg_core.segmenter.typical_distance import DISTANCES
from kineseg_core.segmenter.typical_distance import KEPT as KEPT_BLOCKS

Array = NDArray[Any]

COUNTERS = np.dtype(
    [
        ("frames", np.int64),
        ("learned", np.int64),
        ("block_frames", np.int64),
        ("blocks_made", np.int64),
        ("in_block", np.int64),
        ("count", np.int64),
        ("scaled", np.int64),
        ("far_kept", np.int64),
        ("groups", np.int64),
        ("in_group", np.int64),
        ("squares", np.float64),
        ("typical_count", np.int64),
        ("typical_seen", np.int64),
        ("typical", np.float64),
        ("surprise_count", np.int64),
        ("surprise", np.float64),
        ("baselines", np.float64, (2, 2)),
        ("baseline_seen", np.int64, (2,)),
        ("interrupted", np.bool_),
        ("still", np.bool_),
    ]
)
"""Frames in all; frames that counted for what is usual; frames, blocks and frames of the open block since the last
interruption; blocks in the ring, blocks that counted for the scales, blocks kept of the farther past; groups of blocks,
blocks in the open one and its sum of squares; blocks and distances that the typical distance is of, and it; frames that
surprise was seen of since the last interruption, its score; median and median absolute deviation of its logarithm in
motion and standing still, and how many values each is of; whether the next frame is the first after an interruption;
whether the stream stands still."""

DECIDER = np.dtype(
    [
        ("lags", np.int64, (MOST_LAGS,)),
        ("least", np.float64, (MOST_LAGS,)),
        ("n_lags", np.int64),
        ("first_final", np.int64),
        ("window", np.int64),
        ("provisional", np.float64),
        ("shortest", np.int64),
        ("start", np.int64),
        ("near", np.int64),
        ("next_review", np.int64),
    ]
)
"""After how many blocks candidates are looked at, and how likely they must be then; how many of these lags there are,
and the first that may be final (1: that before it is provisional; 0: nothing is provisional); blocks after a peak that
are waited for; from which probability on a candidate is provisional; blocks in the shortest segment; first block of the
open segment, and of the last, provisional or not; after how many blocks a provisional one is to be looked at again."""


class Columns(NamedTuple):
    """N streams. C channels, D numbers in a block, E of them compared by labels.

    Attributes:
        counters: ``(N,)`` of `COUNTERS`.
        decider: ``(N,)`` of `DECIDER`.
        moments: ``(N, 3, C)`` mean, variance and previous value of each channel.
        sums: ``(N, D)`` of the open block.
        before: ``(N, D)`` of the frame before; used below 10 frames a second.
        blocks: ``(N, D, REACH)`` int16, see `append_block`.
        logs: ``(N, REACH, REACH * VIEWS)`` uint8, log distances.
        scales: ``(N, VIEWS)`` mean log distance.
        coarse_blocks, coarse_logs: ``(N, len(COARSE), ...)`` the same of coarse blocks, see `CoarseRings`.
        coarse_candidates: ``(N, MOST_LAGS, len(COARSE))`` which coarse block was looked at last, by lag.
        coarse_log_odds: The same shape, of a segment that begins there.
        far: ``(N, FAR[-1] + 1, F)`` int16, blocks of the farther past.
        nearest: ``(N, REACH, STRETCHES)`` uint8, nearest of them.
        means, spreads: ``(N, STILL_GROUPS, E)``, ``(N, STILL_GROUPS)`` of groups of blocks.
        group: ``(N, E)`` sum of the open group.
        position: ``(N, E)`` where the stream stands still.
        kept: ``(N, KEPT_BLOCKS, E)`` int16, blocks that distances are taken to.
        distances: ``(N, DISTANCES)`` of the last minute.
        surprises: ``(N, 4, S)`` log surprise and its deviation, moving and standing.
        raw, smooth: ``(N, MOST_LAGS, CANDIDATES)`` how likely segments begin at the last candidates.
    """

    counters: Array
    decider: Array
    moments: Array
    sums: Array
    before: Array
    blocks: Array
    logs: Array
    scales: Array
    coarse_blocks: Array
    coarse_logs: Array
    coarse_candidates: Array
    coarse_log_odds: Array
    far: Array
    nearest: Array
    means: Array
    spreads: Array
    group: Array
    position: Array
    kept: Array
    distances: Array
    surprises: Array
    raw: Array
    smooth: Array


def new_columns(plan: TablePlan, rows: int) -> Columns:
    """Room for so many streams; what is in a row means nothing before `clear`."""
    channels, dims, compared = plan.views.channels, plan.views.dims, plan.views.compared
    shapes: Mapping[str, tuple[tuple[int, ...], Any]] = {
        "counters": ((), COUNTERS),
        "decider": ((), DECIDER),
        "moments": ((3, channels), np.float64),
        "sums": ((dims,), np.float64),
        "before": ((dims if plan.slow else 0,), np.float64),
        "blocks": ((dims, REACH), np.int16),
        "logs": ((REACH, REACH * VIEWS), np.uint8),
        "scales": ((VIEWS,), np.float64),
        "coarse_blocks": ((len(COARSE), dims, REACH), np.int16),
        "coarse_logs": ((len(COARSE), REACH, REACH * VIEWS), np.uint8),
        "coarse_candidates": ((MOST_LAGS, len(COARSE)), np.int64),
        "coarse_log_odds": ((MOST_LAGS, len(COARSE)), np.float32),
        "far": ((FAR[-1] + 1, plan.far), np.int16),
        "nearest": ((REACH, STRETCHES), np.uint8),
        "means": ((STILL_GROUPS, compared), np.float32),
        "spreads": ((STILL_GROUPS,), np.float32),
        "group": ((compared,), np.float64),
        "position": ((compared,), np.float64),
        "kept": ((KEPT_BLOCKS, compared), np.int16),
        "distances": ((DISTANCES,), np.float32),
        "surprises": ((4, plan.surprise.horizon), np.float32),
        "raw": ((MOST_LAGS, CANDIDATES), np.float32),
        "smooth": ((MOST_LAGS, CANDIDATES), np.float32),
    }
    return Columns(**{name: sparse_zeros((rows, *shape), kind) for name, (shape, kind) in shapes.items()})


def clear(columns: Columns, row: int, plan: TablePlan) -> None:
    """Begins a row anew: nothing has been seen of its stream."""
    for column in columns:
        column[row] = np.zeros((), column.dtype)
    counters = columns.counters[row]
    settings = plan.settings
    counters["interrupted"] = True
    counters["typical"] = columns.distances[row] = settings.median_squared_distance
    counters["baselines"] = plan.surprise.median, plan.surprise.deviation
    columns.surprises[row, 0::2] = plan.surprise.median
    columns.surprises[row, 1::2] = plan.surprise.deviation


def restart(columns: Columns, row: int) -> None:
    """The stream of a row was interrupted: what came before is not looked at, what is usual in it is kept."""
    counters = columns.counters[row]
    for of_what_came in (
        *("block_frames", "blocks_made", "in_block", "count", "far_kept"),
        *("groups", "in_group", "squares", "surprise_count", "surprise", "still"),
    ):
        counters[of_what_came] = 0
    counters["interrupted"] = True
    for column in (columns.sums, columns.group, columns.raw, columns.smooth, columns.coarse_candidates):
        column[row] = 0.0
