"""What happens to many rows of a table with a step of the model: two kernels, and the boundary network in between."""

from __future__ import annotations

import numpy as np

from kineseg_core.boundary_network.decider import FIRST_CANDIDATE, MOST_LAGS
from kineseg_core.boundary_network.distances import FIRST_BACK, append_block, learn_scales, to_steps
from kineseg_core.boundary_network.far_past import append_far, look_far
from kineseg_core.boundary_network.layout import (
    CONTEXT,
    FAR_NUMBERS,
    LAGS,
    PIECES_BEFORE,
    UNIT_RANGE,
    VIEWS,
    pieces_known,
)
from kineseg_core.boundary_network.patch import look_at
from kineseg_core.kernels import kernel
from kineseg_core.segmenter.table.candidates import is_worth_a_look, may_follow, note_probabilities
from kineseg_core.segmenter.table.frames import take_frame
from kineseg_core.segmenter.table.stillness import note_stillness
from kineseg_core.segmenter.table.surprise import score_surprise
from kineseg_core.segmenter.table.typical_distance import note_distance, variance_of

_LEAST_UNIT, _LARGEST_UNIT = UNIT_RANGE
_LAG_PLACES, _LAG_PIECES = np.zeros((2, LAGS[-1] + 1), np.int64)  # by lag: place in `LAGS`, and pieces known
for _place, _lag in enumerate(LAGS):
    _LAG_PLACES[_lag], _LAG_PIECES[_lag] = _place, pieces_known(_lag)


@kernel(nogil=True)
def observe_rows(table, rows, frames, embeddings, surprises):  # type: ignore[no-untyped-def]
    """Takes the next frame of each row.

    Args:
        table: See `TableHandle`; its `Looked` is filled from the beginning.
        rows: ``(N,)`` each once.
        frames: ``(N, C)`` float32.
        embeddings: ``(N, E)`` float32.
        surprises: ``(N,)``

    Returns:
        How many blocks came, and at how many candidates to look.
    """
    columns, plan, made, looked = table.columns, table.plan, table.made, table.looked
    came, looks = 0, 0
    for i in range(len(rows)):
        row = rows[i]
        counters, decider = columns.counters[row], columns.decider[row]
        score_surprise(counters, columns.surprises[row], surprises[i], plan.surprise)
        counters.frames += 1
        blocks = take_frame(
            counters, columns.moments[row], columns.sums[row], columns.before[row], frames[i], embeddings[i], plan, made
        )
        for block in range(blocks):
            take_block(columns, plan, table.ends, table.views, row, made[block])
            first = looks
            if not counters.still:  # what stands still begins no segment, whatever its noise
                for lag in range(decider.n_lags):
                    candidate = counters.count - decider.lags[lag]
                    if candidate >= FIRST_CANDIDATE and is_worth_a_look(decider, columns.raw[row], lag, candidate):
                        looked.lag_of[looks] = lag
                        looked.lag[looks] = _LAG_PLACES[decider.lags[lag]]
                        looked.known[looks, 0] = candidate
                        looked.known[looks, 1] = _LAG_PIECES[decider.lags[lag]]
                        looks += 1
                look_at_row(columns, row, decider, first, looks, looked)
            of = looked.of[came]
            of[0], of[1], of[2], of[3] = i, counters.count, first, looks
            came += 1
    return came, looks


@kernel(nogil=True)
def take_block(columns, plan, ends, views, row, block):  # type: ignore[no-untyped-def]
    """Takes the next block (D,) of a row."""
    counters, count = columns.counters[row], columns.counters[row].count
    compared = block[: plan.compared]
    note_stillness(
        counters, columns.means[row], columns.spreads[row], columns.group[row], columns.position[row], compared,
        variance_of(counters),
    )  # fmt: skip
    steps = np.empty(len(block), np.int16)
    to_steps(block, steps)
    append_block(columns.blocks[row], ends, views, columns.logs[row], count, steps)
    append_far(columns.far[row], columns.nearest[row], count, counters.far_kept, steps[: columns.far.shape[2]])
    counters.count += 1
    if counters.still:
        return
    counters.far_kept += 1
    if counters.count > FIRST_BACK + 1:
        counters.scaled += 1
        learn_scales(columns.logs[row], counters.count, counters.scaled, columns.scales[row])
    note_distance(counters, columns.kept[row], columns.distances[row], steps[: plan.compared], plan.prior_distances)


@kernel(nogil=True)
def look_at_row(columns, row, decider, first, end, looked):  # type: ignore[no-untyped-def]
    """Looks of a row at the candidates [first, end), which stand in `looked.known` until the first known piece does."""
    if first == end:
        return
    count = columns.counters[row].count
    candidates = looked.known[first:end, 0].copy()
    lags = np.empty(end - first, np.int64)
    for look in range(end - first):
        lags[look] = decider.lags[looked.lag_of[first + look]]
    known = looked.known[first:end, 1].copy()
    look_at(
        columns.logs[row], count, columns.scales[row], candidates, lags, known, looked.sums, first,
        looked.maps, looked.units, looked.known[:, 0], looked.discrepancies,
    )  # fmt: skip
    begins, units = looked.known[first:end, 0].copy(), looked.units[first:end, 0].copy()
    look_far(
        columns.nearest[row], count, columns.scales[row, 0], candidates, begins, known, units,
        looked.context[first:end],
    )  # fmt: skip
    for look in range(first, end):
        context = looked.context[look]
        for view in range(VIEWS):
            context[FAR_NUMBERS + view] = min(max(looked.units[look, view], _LEAST_UNIT), _LARGEST_UNIT)
        context[CONTEXT - 1] = 1.0 - looked.known[look, 0] / PIECES_BEFORE


@kernel(nogil=True)
def decide_rows(table, rows, came, probabilities):  # type: ignore[no-untyped-def]
    """Takes how likely a segment begins at each candidate that was looked at.

    Args:
        table: See `TableHandle`. Written: of each block that came, whether anything may follow from it.
        rows: ``(N,)`` of the step.
        came: How many blocks came.
        probabilities: ``(looks,)`` float32.
    """
    columns, looked, follows = table.columns, table.looked, table.follows
    seen = np.empty(MOST_LAGS, np.float32)
    for block in range(came):
        i, count, first, end = looked.of[block]
        row = rows[i]
        seen[:] = 0.0
        for look in range(first, end):
            seen[looked.lag_of[look]] = probabilities[look]
        note_probabilities(columns.decider[row], columns.raw[row], columns.smooth[row], count, seen)
        follows[block] = may_follow(columns.decider[row], columns.smooth[row], count)
