"""Distances between the blocks of a stream.

Blocks and the logarithms of distances are whole numbers, see `log_distance`. What is of a block lies in the same place
of a ring everywhere: that of block t is t mod REACH. Loops go over all places, in the order in which they lie: so many
at once as a processor can, whatever the time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.layout import REACH, VIEWS
from kineseg_core.boundary_network.log_distance import BLOCK_STEPS, LARGEST_LOG, to_logs
from kineseg_core.kernels import kernel

_LARGEST_BLOCK = 32767.0
FIRST_BACK = 5
"""Nearer neighbours say little about how far apart blocks usually are."""
_SCALE_MEMORY = 600  # blocks: a minute


@kernel(nogil=True)
def to_steps(block, steps):  # type: ignore[no-untyped-def]
    """Writes a block (D,) float32 in whole numbers (D,) int16."""
    for i in range(len(block)):
        steps[i] = np.int16(round(min(max(block[i] * BLOCK_STEPS, -_LARGEST_BLOCK), _LARGEST_BLOCK)))


@kernel(nogil=True)
def append_block(blocks, ends, views, logs, count, steps):  # type: ignore[no-untyped-def]
    """Puts a block into the ring, and its distances to those before it into the matrix of distances.

    Args:
        blocks: ``(D, REACH)`` int16.
        ends: ``(K,)`` where the parts of a block end among the D.
        views: ``(VIEWS, 2)`` first part of each view, and the part after its last one.
        logs: ``(REACH, REACH * VIEWS)`` uint8, a row a place of the ring, and all views of another place side by side
            in it; of a block to itself it has the largest value, and none that means anything where no block has come.
        count: Blocks so far, t of the new one.
        steps: ``(D,)`` int16, see `to_steps`.
    """
    place, parts, begin = count % REACH, np.zeros((len(ends), REACH), np.int64), 0
    for part in range(len(ends)):
        _add_squares(blocks, steps, begin, ends[part], parts[part])
        begin = ends[part]
    for i in range(len(steps)):  # now that its places are at hand
        blocks[i, place] = steps[i]
    squares, values, row = np.empty(REACH), np.empty((VIEWS, REACH), np.uint8), logs[place]
    for view in range(VIEWS):
        first = parts[views[view, 0]]
        for other in range(REACH):
            squares[other] = first[other]
        for part in range(views[view, 0] + 1, views[view, 1]):
            more = parts[part]
            for other in range(REACH):
                squares[other] += more[other]
        to_logs(squares, values[view])
        values[view, place] = LARGEST_LOG
    for other in range(REACH):
        for view in range(VIEWS):
            row[VIEWS * other + view] = logs[other, VIEWS * place + view] = values[view, other]


def measure_again(
    blocks: NDArray[np.int16], ends: NDArray[np.int64], views: NDArray[np.int64], logs: NDArray[np.uint8]
) -> None:
    """Writes how far apart the blocks of a ring are, as if each had come once more: their distances are not kept.

    Args are those of `append_block`.
    """
    for place in range(REACH):
        append_block(blocks, ends, views, logs, place, blocks[:, place].copy())


@kernel(inlined=True)
def _add_squares(blocks, steps, begin, end, squares):  # type: ignore[no-untyped-def]
    """Adds squared distances along the numbers [begin, end) of a block to all that are kept; two numbers at once."""
    for i in range(begin, end - 1, 2):
        one, other = np.int64(steps[i]), np.int64(steps[i + 1])
        ones, others = blocks[i], blocks[i + 1]
        for place in range(REACH):
            along, across = one - np.int64(ones[place]), other - np.int64(others[place])
            squares[place] += along * along + across * across
    if (end - begin) % 2:
        last, lasts = np.int64(steps[end - 1]), blocks[end - 1]
        for place in range(REACH):
            apart = last - np.int64(lasts[place])
            squares[place] += apart * apart


@kernel(inlined=True)
def _mean_log(row, view, count):  # type: ignore[no-untyped-def]
    """Mean of the newest block's log distances, steps; 0 where there are none."""
    there = min(count, REACH)
    n = there - FIRST_BACK
    if n <= 0:
        return 0.0
    total = 0
    for place in range(there):
        total += int(row[VIEWS * place + view])
    for back in range(1, FIRST_BACK + 1):
        total -= int(row[VIEWS * ((count - back) % REACH) + view])
    return total / n


@kernel(nogil=True)
def learn_scales(logs, count, learned, scales):  # type: ignore[no-untyped-def]
    """Takes the newest block into the mean log distances of the stream.

    Args:
        logs: ``(REACH, REACH * VIEWS)`` uint8, see `append_block`.
        count: Blocks so far.
        learned: How many of them have been taken in, this one included.
        scales: ``(VIEWS,)`` steps.
    """
    row, weight = logs[(count - 1) % REACH], 1.0 / min(learned, _SCALE_MEMORY)
    for view in range(VIEWS):
        scales[view] += weight * (_mean_log(row, view, count) - scales[view])
