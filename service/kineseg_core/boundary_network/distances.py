"""Distances between the blocks of a stream, and what the network is given of them.

Blocks and the logarithms of distances are whole numbers, see `log_distance`.
"""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.boundary_network.layout import (
    COMPARED,
    DISCREPANCY_WIDTH,
    EDGES,
    NEAR_PAST,
    PIECES_BEFORE,
    REACH,
    WIDTHS,
)
from kineseg_core.boundary_network.log_distance import BLOCK_STEPS, LARGEST_LOG, LOG_STEPS, floor_of, to_logs
from kineseg_core.kernels import kernel

_LARGEST_BLOCK = 32767.0
_EDGES = EDGES.astype(np.int32)
_SHARES = 1.0 / WIDTHS  # a division takes longer than all that is summed for it
_TO_LOG = 1.0 / LOG_STEPS
NO_DISCREPANCY = 0.5
"""Where there is not enough on one side."""

# By log distance less the unit, from the least to the largest there can be.
_SIMILARITY = np.exp(-np.exp(np.arange(-LARGEST_LOG, LARGEST_LOG + 1) / (0.5 * LOG_STEPS)))
FIRST_BACK = 5
"""Nearer neighbours say little about how far apart blocks usually are."""
_SCALE_MEMORY = 600  # blocks: a minute


@kernel(nogil=True)
def append_block(blocks, ends, views, logs, count, block):  # type: ignore[no-untyped-def]
    """Puts a block into the ring, and its distances to those before it into the matrices of distances.

    Args:
        blocks: ``(REACH, D)`` int16, block t in row t mod REACH.
        ends: ``(K,)`` where the parts of a block end among the D.
        views: ``(V, 2)`` first part of each view, and the part after its last one.
        logs: ``(V, REACH, REACH)`` uint8, rows and columns as in `blocks`.
        count: Blocks so far, t of the new one.
        block: ``(D,)`` float32.
    """
    row = count % REACH
    for i in range(len(block)):
        blocks[row, i] = np.int16(round(min(max(block[i] * BLOCK_STEPS, -_LARGEST_BLOCK), _LARGEST_BLOCK)))
    newest, there = blocks[row], min(count, REACH - 1)
    squares = np.zeros((len(views), REACH))
    for back in range(1, there + 1):
        older = blocks[(count - back) % REACH]
        begin = 0
        for part in range(len(ends)):
            square = _square_between(newest[begin : ends[part]], older[begin : ends[part]])
            begin = ends[part]
            for view in range(len(views)):
                if views[view, 0] <= part < views[view, 1]:
                    squares[view, back] += square
    values = np.empty(REACH, np.uint8)
    for view in range(len(views)):
        to_logs(squares[view], values)
        for back in range(1, there + 1):
            column = row - back + (REACH if back > row else 0)
            logs[view, row, column] = values[back]
            logs[view, column, row] = values[back]


@kernel(nogil=True)
def _square_between(block, other):  # type: ignore[no-untyped-def]
    """Squared distance of two blocks of whole numbers."""
    total = 0
    for i in range(len(block)):
        step = np.int64(block[i]) - np.int64(other[i])
        total += step * step  # type: ignore[assignment]  # an integer of 64 bits from the start
    return float(total)


@kernel(nogil=True)
def _mean_log(logs, count, view):  # type: ignore[no-untyped-def]
    """Mean of the newest block's log distances, steps."""
    row, total, n = (count - 1) % REACH, 0, 0
    for back in range(FIRST_BACK, min(count - 1, REACH - 1) + 1):
        total += int(logs[view, row, (count - 1 - back) % REACH])
        n += 1
    return total / n if n else 0.0


@kernel(nogil=True)
def learn_scales(logs, count, learned, scales):  # type: ignore[no-untyped-def]
    """Takes the newest block into the mean log distances of the stream.

    Args:
        logs: ``(V, REACH, REACH)`` uint8, see `append_block`.
        count: Blocks so far.
        learned: How many of them have been taken in, this one included.
        scales: ``(V,)`` steps.
    """
    weight = 1.0 / min(learned, _SCALE_MEMORY)
    for view in range(len(scales)):
        scales[view] += weight * (_mean_log(logs, count, view) - scales[view])


@kernel(nogil=True)
def unrolled(logs, scale, count, out):  # type: ignore[no-untyped-def]
    """Writes a view's matrix with its rows and columns in the order of time, the newest block last.

    Args:
        logs: ``(REACH, REACH)`` uint8 of the view.
        scale: Mean log distance of the stream, steps: nothing is nearer than a hundredth of it.
        count: Blocks so far.
        out: ``(REACH, REACH)`` uint8; of a block to itself it has the largest value.
    """
    floor = np.uint8(floor_of(scale))
    split = count % REACH
    rest = REACH - split
    for t in range(REACH):
        row = logs[(split + t) % REACH]
        _at_least(out[t, :rest], row[split:], floor)
        _at_least(out[t, rest:], row[:split], floor)
        out[t, t] = LARGEST_LOG


@kernel(nogil=True)
def _at_least(out, values, floor):  # type: ignore[no-untyped-def]
    """Values, none below the floor."""
    for i in range(len(out)):
        value = values[i]
        out[i] = value if value > floor else floor


@kernel(nogil=True)
def patch(square, scale, oldest, candidate, known, out, units):  # type: ignore[no-untyped-def]
    """What the network is given of one view: log distances between pieces, relative to the local unit.

    Args:
        square: ``(REACH, REACH)`` uint8, see `unrolled`.
        scale: Mean log distance of the stream, steps.
        oldest: Row of the first block that is there.
        candidate: Row of the block that may begin a segment.
        known: Pieces up to which it is looked, those before the candidate included.
        out: ``(2, PIECES, PIECES)`` float32: mean log distance, and mean log distance from each block of the row's
            piece to the nearest one in the column's piece; 0 where nothing is known.
        units: ``(1,)`` float32: the local unit over the stream's scale, log.

    Returns:
        The first piece that is there.
    """
    begin = 0
    while begin < PIECES_BEFORE and candidate + _EDGES[begin] < oldest:
        begin += 1
    first, last = candidate + _EDGES[begin], candidate + _EDGES[known]
    near = max(first, candidate - NEAR_PAST)
    total = 0
    for t in range(near, last):
        row = square[t, near:last]
        summed = 0
        for i in range(last - near):
            summed += int(row[i])
        total += summed - LARGEST_LOG
        if t + 1 < last:  # of two neighbours it is left out
            total -= 2 * int(square[t, t + 1])
    pairs = (last - near) * (last - near) - (last - near) - 2 * (last - near - 1)
    unit = total / pairs if pairs > 0 else scale
    units[0] = (unit - scale) * _TO_LOG
    out[:] = 0.0
    n = last - first
    sums, least = np.empty(REACH, np.uint16), np.empty(REACH, np.uint8)
    for j in range(begin, known):
        left, right = candidate + _EDGES[j], candidate + _EDGES[j + 1]
        row = square[left, first:last]
        for t in range(n):
            sums[t] = row[t]
            least[t] = row[t]
        for s in range(left + 1, right):
            row = square[s, first:last]
            for t in range(n):
                sums[t] += row[t]
                least[t] = min(least[t], row[t])
        t, own = 0, 0
        for i in range(begin, known):
            below = t + WIDTHS[i]
            summed, nearest = 0, 0
            while t < below:
                summed += int(sums[t])
                nearest += int(least[t])
                t += 1
            out[0, j, i] = (summed * (_SHARES[i] * _SHARES[j]) - unit) * _TO_LOG
            out[1, i, j] = (nearest * _SHARES[i] - unit) * _TO_LOG
            if i == j:
                own = summed
        # No block has a distance to itself.
        width = right - left
        if width > 1:
            out[0, j, j] = ((own - width * LARGEST_LOG) / (width * (width - 1)) - unit) * _TO_LOG
        else:
            out[0, j, j] = out[1, j, j] = 0.0
    return begin


@kernel(nogil=True)
def discrepancy(square, candidate, width, unit):  # type: ignore[no-untyped-def]
    """Root of the squared maximum mean discrepancy between the `width` blocks on either side of a candidate.

    The kernel is Gaussian and as wide as the local unit (Gretton et al. 2012, "A kernel two-sample test").

    Args:
        square: ``(REACH, REACH)`` uint8, see `unrolled`; blocks on both sides must be there.
        candidate: Row of the block that may begin a segment.
        width: Blocks on either side.
        unit: The local unit, steps.

    Returns:
        That, 0 to about 1.4.
    """
    offset = LARGEST_LOG - min(max(round(unit), 0), LARGEST_LOG)
    similar = _SIMILARITY[offset : offset + LARGEST_LOG + 1]
    within, across = 2.0 * width, 0.0
    for t in range(candidate - width, candidate + width):
        row = square[t]
        side = candidate if t >= candidate else candidate - width
        for s in range(side, t):
            within += 2.0 * similar[row[s]]
        if t >= candidate:
            for s in range(candidate - width, candidate):
                across += similar[row[s]]
    return math.sqrt(max(within - 2.0 * across, 0.0)) / width


@kernel(nogil=True)
def look_at(logs, count, scales, oldest, candidates, lags, known, patches, units, first, discrepancies):  # type: ignore[no-untyped-def]
    """All looks after one block.

    Args:
        logs: ``(V, REACH, REACH)`` uint8, see `append_block`.
        count: Blocks so far.
        scales: ``(V,)`` mean log distances of the stream, steps.
        oldest: Row of the first block that is there.
        candidates: ``(N,)`` rows of the blocks that may begin a segment.
        lags: ``(N,)`` how many blocks of what follows are looked at.
        known: ``(N,)`` how many pieces that makes.
        patches: ``(N, 2 V, PIECES, PIECES)`` float32, see `patch`.
        units: ``(N, V)`` float32.
        first: ``(N,)`` int64, first piece that is there.
        discrepancies: ``(N, COMPARED)`` float32; 0.5 where one side is not all there.
    """
    square = np.empty((REACH, REACH), np.uint8)
    for v in range(len(logs)):
        unrolled(logs[v], scales[v], count, square)
        for n in range(len(candidates)):
            first[n] = patch(
                square, scales[v], oldest, candidates[n], known[n],
                patches[n, 2 * v : 2 * v + 2], units[n, v : v + 1],
            )  # fmt: skip
            if v < COMPARED:
                discrepancies[n, v] = NO_DISCREPANCY
                if lags[n] >= DISCREPANCY_WIDTH and candidates[n] - DISCREPANCY_WIDTH >= oldest:
                    unit = units[n, v] * LOG_STEPS + scales[v]
                    discrepancies[n, v] = discrepancy(square, candidates[n], DISCREPANCY_WIDTH, unit)
