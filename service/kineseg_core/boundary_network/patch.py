"""What the network is given of the distances around a candidate."""

from __future__ import annotations

import numpy as np

from kineseg_core.boundary_network.discrepancy import NO_DISCREPANCY, discrepancy
from kineseg_core.boundary_network.layout import (
    COMPARED,
    DISCREPANCY_WIDTH,
    EDGES,
    NEAR_PAST,
    PATCH_RANGE,
    PIECES_BEFORE,
    REACH,
    VIEWS,
    WIDTHS,
)
from kineseg_core.boundary_network.log_distance import LARGEST_LOG, LOG_STEPS, floor_of
from kineseg_core.boundary_network.piece_sums import sum_pieces
from kineseg_core.kernels import kernel

_EDGES = EDGES.astype(np.int32)
_WIDTHS = WIDTHS.astype(np.int64)
_NEAR = int(np.flatnonzero(EDGES == -NEAR_PAST)[0])  # the first piece of the near past
_SHARES = 1.0 / WIDTHS  # a division takes longer than all that is summed for it
_PAIR_SHARES = np.outer(_SHARES, _SHARES)
_TO_LOG = 1.0 / LOG_STEPS
_LEAST, _LARGEST = PATCH_RANGE


@kernel(inlined=True)
def bounded(log):  # type: ignore[no-untyped-def]
    """A log distance relative to the local unit, as far as it says anything."""
    return min(max(log, _LEAST), _LARGEST)


@kernel(inlined=True)
def _unit_of(logs, view, oldest, floor, candidate, begin, known, totals, scale):  # type: ignore[no-untyped-def]
    """The local unit, steps: the mean distance in the near past and in what follows, but of neighbours."""
    near = max(begin, _NEAR)
    total = 0
    for piece in range(near, known):
        row = totals[piece, near:known]
        for other in range(len(row)):
            total += int(row[other])
    first, last = candidate + _EDGES[near], candidate + _EDGES[known]
    place = (oldest + first) % REACH
    for _ in range(first, last - 1):
        after = place + 1 if place + 1 < REACH else 0
        total -= 2 * int(max(logs[place, VIEWS * after + view], floor))
        place = after
    n = last - first
    total -= n * LARGEST_LOG
    pairs = n * n - n - 2 * (n - 1)
    return total / pairs if pairs > 0 else scale


@kernel(nogil=True)
def patch(totals, nearest, unit, begin, known, mean, nearness):  # type: ignore[no-untyped-def]
    """What the network is given of one view: log distances between pieces, relative to the local unit.

    Args:
        totals, nearest: Of the view, see `PieceSums`.
        unit: The local unit, steps.
        begin, known: Pieces that are there and known: [begin, known).
        mean: ``(PIECES, PIECES)`` float32, written: mean log distance; 0 where nothing is known.
        nearness: The same of the log distance from each block of the row's piece to the nearest one in the column's.
    """
    mean[:] = 0.0
    nearness[:] = 0.0
    for i in range(begin, known):
        shares, share, width = _PAIR_SHARES[i, begin:known], _SHARES[i], _WIDTHS[i]
        # Slices, because an index that might be negative keeps a loop from taking many at once.
        row, means = totals[i, begin:known], mean[i, begin:known]
        for j in range(len(row)):
            means[j] = bounded((row[j] * shares[j] - unit) * _TO_LOG)
        row, near = nearest[i, begin:known], nearness[i, begin:known]
        for j in range(len(row)):
            near[j] = bounded((row[j] * share - unit) * _TO_LOG)
        # No block has a distance to itself.
        if width > 1:
            of_others = (int(totals[i, i]) - width * LARGEST_LOG) / (width * (width - 1))
            mean[i, i] = bounded((of_others - unit) * _TO_LOG)
        else:
            mean[i, i] = nearness[i, i] = 0.0


@kernel(nogil=True)
def look_at(logs, count, scales, candidates, lags, known, room, row, maps, units, first, discrepancies):  # type: ignore[no-untyped-def]
    """All looks after one block.

    Args:
        logs: ``(REACH, REACH * VIEWS)`` uint8, see `append_block`.
        count: Blocks so far.
        scales: ``(VIEWS,)`` mean log distances of the stream, steps: nothing is nearer than a hundredth of it.
        candidates: ``(N,)`` blocks that may begin a segment.
        lags: ``(N,)`` how many blocks of what follows are looked at.
        known: ``(N,)`` how many pieces that makes, those before the candidate included.
        room: See `PieceSums`.
        row: In which row of the following the first look is written.
        maps: ``(n, 2 VIEWS + 1, PIECES, PIECES)`` float32: of each view, see `patch`, and 1 where two pieces are known.
        units: ``(n, VIEWS)`` float32: the local unit over the stream's scale, log.
        first: ``(n,)`` int64, first piece that is there.
        discrepancies: ``(n, COMPARED)`` float32; 0.5 where one side is not all there.
    """
    oldest, missing = count % REACH, max(0, REACH - count)
    for v in range(VIEWS):
        floor = np.uint8(floor_of(scales[v]))
        for place in range(REACH):
            room.floors[VIEWS * place + v] = floor
    for n in range(len(candidates)):
        candidate, begin = candidates[n] - count + REACH, 0
        while begin < PIECES_BEFORE and candidate + _EDGES[begin] < missing:
            begin += 1
        first[row + n] = begin
        sum_pieces(logs, oldest, candidate, begin, known[n], room)
        is_known = maps[row + n, 2 * VIEWS]
        is_known[:] = 0.0
        is_known[begin : known[n], begin : known[n]] = 1.0
        for v in range(VIEWS):
            totals, floor, scale = room.totals[v], room.floors[v], scales[v]
            unit = _unit_of(logs, v, oldest, floor, candidate, begin, known[n], totals, scale)
            units[row + n, v] = (unit - scale) * _TO_LOG
            patch(totals, room.nearest[v], unit, begin, known[n], maps[row + n, 2 * v], maps[row + n, 2 * v + 1])
            if v < COMPARED:
                discrepancies[row + n, v] = NO_DISCREPANCY
                if lags[n] >= DISCREPANCY_WIDTH and candidate - DISCREPANCY_WIDTH >= missing:
                    discrepancies[row + n, v] = discrepancy(
                        logs, v, oldest, floor, candidate, DISCREPANCY_WIDTH, units[row + n, v] * LOG_STEPS + scale
                    )
