"""What happens to many rows of a table with a step of the model: kernels, and the boundary network in between.

Of a slow source several blocks come with a frame. What the network says of a block's candidates decides at which ones
of the next it looks, so that they are taken in turns.
"""

from __future__ import annotations

import numpy as np

from kineseg_core.boundary_network.coarse import append_coarse
from kineseg_core.boundary_network.decider import FIRST_CANDIDATE, KEPT, MOST_LAGS
from kineseg_core.boundary_network.distances import FIRST_BACK, append_block, learn_scales, to_steps
from kineseg_core.boundary_network.far_past import append_far, look_far
from kineseg_core.boundary_network.layout import (
    COARSE,
    COARSE_LAGS,
    CONTEXT,
    FAR_NUMBERS,
    LAGS,
    PIECES_BEFORE,
    UNIT_RANGE,
    VIEWS,
    pieces_known,
)
from kineseg_core.boundary_network.looked import NONE, SAID
from kineseg_core.boundary_network.patch import look_at
from kineseg_core.kernels import kernel
from kineseg_core.segmenter.table.candidates import (
    NONE_ASKED,
    is_open,
    is_worth_a_look,
    may_follow,
    note_probabilities,
)
from kineseg_core.segmenter.table.frames import take_frame
from kineseg_core.segmenter.table.stillness import note_stillness
from kineseg_core.segmenter.table.surprise import score_surprise
from kineseg_core.segmenter.table.typical_distance import note_distance, variance_of

_LEAST_UNIT, _LARGEST_UNIT = UNIT_RANGE
_LAGS = np.array(LAGS, np.int64)
_LAG_PLACES, _LAG_PIECES = np.zeros((2, LAGS[-1] + 1), np.int64)  # by lag: place in `LAGS`, and pieces known
for _place, _lag in enumerate(LAGS):
    _LAG_PLACES[_lag], _LAG_PIECES[_lag] = _place, pieces_known(_lag)


@kernel(nogil=True)
def observe_rows(table, rows, frames, embeddings, surprises):  # type: ignore[no-untyped-def]
    """Takes the next frame of each row, and writes which blocks come with it.

    Args:
        table: See `TableHandle`.
        rows: ``(N,)`` each once.
        frames: ``(N, C)`` float32.
        embeddings: ``(N, E)`` float32.
        surprises: ``(N,)``
    """
    columns, plan = table.columns, table.plan
    for i in range(len(rows)):
        row, coming = rows[i], table.coming[i]
        score_surprise(columns.counters[row], columns.surprises[row], surprises[i], plan.surprise)
        columns.counters[row].frames += 1
        coming.made = take_frame(
            columns.counters[row], columns.moments[row], columns.sums[row], columns.before[row], frames[i],
            embeddings[i], plan, table.made[i],
        )  # fmt: skip
        coming.taken, coming.follows = 0, False


@kernel(nogil=True)
def take_blocks(table, rows):  # type: ignore[no-untyped-def]
    """Takes blocks of each row that has some left: up to the first for which an answer of the network is needed.

    Args:
        table: See `TableHandle`; its `Looked` is filled from the beginning.
        rows: ``(N,)`` of `observe_rows`; what the network says of the blocks before has been noted.

    Returns:
        How many blocks were taken, and at how many candidates to look.
    """
    columns, looked, asked = table.columns, table.looked, np.empty((MOST_LAGS, 2), np.int64)
    took, looks, coarse_asked = 0, 0, np.empty((MOST_LAGS, len(COARSE)), np.int64)
    for i in range(len(rows)):
        row, coming = rows[i], table.coming[i]
        counters, decider, raw = columns.counters[row], columns.decider[row], columns.raw[row]
        asked[:], coarse_asked[:] = NONE_ASKED, SAID
        while coming.taken < coming.made and not is_open(decider, asked, counters.count + 1):
            take_block(columns, table.plan, table.ends, table.views, row, table.made[i, coming.taken])
            coming.taken += 1
            first = looks
            for lag in range(decider.n_lags):
                candidate = counters.count - decider.lags[lag]
                raw[lag, candidate % KEPT] = 0.0  # where it is not looked, nothing is likely
                # What stands still begins no segment, whatever its noise.
                if counters.still or candidate < FIRST_CANDIDATE or not is_worth_a_look(decider, raw, lag, candidate):
                    continue
                asked[lag, 0], asked[lag, 1] = min(asked[lag, 0], candidate), candidate
                looked.lag_of[looks] = lag
                looked.lag[looks] = _LAG_PLACES[decider.lags[lag]]
                looked.known[looks, 0] = candidate
                looked.known[looks, 1] = _LAG_PIECES[decider.lags[lag]]
                looks += 1
            of = looked.of[took]
            of[0], of[1], of[2], of[3] = i, counters.count, first, looks
            look_at_row(columns, row, decider, first, looks, looked)
            looks = look_coarse(columns, row, decider, first, looks, looked, coarse_asked)
            took += 1
    return took, looks


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
    append_coarse(columns.blocks[row], count + 1, ends, views, columns.coarse_blocks[row], columns.coarse_logs[row])
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
    write_units(looked, first, end)


@kernel(nogil=True)
def look_coarse(columns, row, decider, first, end, looked, asked):  # type: ignore[no-untyped-def]
    """Looks coarse, too, at those of the candidates [first, end) that may be.

    Args:
        columns, row, decider, first, end, looked: As of `look_at_row`.
        asked: ``(MOST_LAGS, len(COARSE))`` the look that has no answer yet, by lag, for the next candidates; `SAID`.

    Returns:
        Where these looks end.
    """
    count, looks = columns.counters[row].count, end
    for coarse in range(len(COARSE)):
        blocks, begin = COARSE[coarse], looks
        for look in range(first, end):
            place = looked.lag_of[look]
            lag, newest = decider.lags[place], columns.coarse_candidates[row, place]
            coarse_lag, candidate = COARSE_LAGS[lag, coarse], (count - lag) // blocks
            looked.coarse_of[look, coarse] = NONE
            if not coarse_lag or candidate < FIRST_CANDIDATE:
                continue
            if newest[coarse] == candidate:
                looked.coarse_of[look, coarse] = asked[place, coarse]
                looked.coarse_log_odds[look, coarse] = columns.coarse_log_odds[row, place, coarse]
                continue
            newest[coarse] = candidate
            looked.coarse_of[look, coarse] = asked[place, coarse] = looks
            looked.coarse_of[looks, :] = NONE
            looked.lag[looks] = _LAG_PLACES[coarse_lag]
            looked.known[looks, 0] = candidate
            looked.known[looks, 1] = _LAG_PIECES[coarse_lag]
            looked.context[looks, :FAR_NUMBERS] = 0.0
            looks += 1
        if looks > begin:
            candidates, known = looked.known[begin:looks, 0].copy(), looked.known[begin:looks, 1].copy()
            look_at(
                columns.coarse_logs[row, coarse], count // blocks, columns.scales[row], candidates,
                _LAGS[looked.lag[begin:looks]], known, looked.sums, begin,
                looked.maps, looked.units, looked.known[:, 0], looked.discrepancies,
            )  # fmt: skip
            write_units(looked, begin, looks)
    return looks


@kernel(nogil=True)
def write_units(looked, first, end):  # type: ignore[no-untyped-def]
    """Writes what of the looks [first, end) the network is given beside maps and the farther past."""
    for look in range(first, end):
        context = looked.context[look]
        for view in range(VIEWS):
            context[FAR_NUMBERS + view] = min(max(looked.units[look, view], _LEAST_UNIT), _LARGEST_UNIT)
        context[CONTEXT - 1] = 1.0 - looked.known[look, 0] / PIECES_BEFORE


@kernel(nogil=True)
def decide_rows(table, rows, took, probabilities):  # type: ignore[no-untyped-def]
    """Takes how likely a segment begins at each candidate that was looked at.

    Args:
        table: See `TableHandle`. Written: of each block that was taken, whether anything may follow from it.
        rows: ``(N,)`` of the step.
        took: How many blocks were taken.
        probabilities: ``(looks,)`` float32.
    """
    columns, looked, follows = table.columns, table.looked, table.follows
    seen = np.empty(MOST_LAGS, np.float32)
    for block in range(took):
        i, count, first, end = looked.of[block]
        row = rows[i]
        seen[:] = 0.0
        for look in range(first, end):
            lag = looked.lag_of[look]
            seen[lag] = probabilities[look]
            for coarse in range(len(COARSE)):
                if looked.coarse_of[look, coarse] != NONE:
                    columns.coarse_log_odds[row, lag, coarse] = looked.coarse_log_odds[look, coarse]
        note_probabilities(columns.decider[row], columns.raw[row], columns.smooth[row], count, seen)
        # Where anything has followed from a block of the same frame, it is known only later what that changes.
        coming = table.coming[i]
        coming.follows |= may_follow(columns.decider[row], columns.smooth[row], count)
        follows[block] = coming.follows
