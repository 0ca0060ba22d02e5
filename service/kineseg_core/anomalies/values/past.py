"""How far the present is from the nearest of a stream's own past: a left discord of blocks.

The left matrix profile (Lu et al. 2022, DAMP) without normalising, on blocks of a quarter second: the distance to the
third nearest of about three minutes, the last three seconds left out, each number relative to how much it usually
varies; and that distance relative to the median of the stream's own. The median, and not what is rarely exceeded: of a
stream in which the unheard-of has happened twice it says the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

F64 = NDArray[np.float64]

_MEMORY_S, _LEFT_OUT_S, _LEAST_HOP_S = 180.0, 3.0, 0.25
_NUMBERS = 6500
"""Of 32 bits that are kept at most: of many channels there are fewer blocks."""
_LEAST_BLOCKS, _MOST_BLOCKS = 60, 720
_FIRST = 8
_NEIGHBOUR = 3
_USUAL_OF, _LEAST_USUAL = 256, 0.3
"""So many distances, of every other block, tell what is usual, and it is not less than that."""
_FARTHEST = 2500.0
_SHARE_OF_MEAN = 0.2
_SCALED_EVERY = 8
_LEAST = 1e-9


class PastBlocks(NamedTuple):
    """Blocks of the last three minutes of one stream, of K numbers: the first half are levels, the rest movement.

    Attributes:
        kept: ``(n, K)`` a ring.
        inverse: ``(K,)`` what each number is multiplied by.
        nearest: ``(3,)`` squared distances of the last block to the nearest ones.
        value: ``(1,)`` its distance over the usual; 0 before there is a past.
        distances: ``(n,)`` of every other block, a ring.
        counts: ``(3,)`` rows, blocks and distances so far.
        hop, left_out: Rows to a block, and blocks that are too young to be its past.
    """

    kept: NDArray[np.float32]
    inverse: F64
    nearest: F64
    value: F64
    distances: NDArray[np.float32]
    counts: NDArray[np.int64]
    hop: int
    left_out: int


def new_past(numbers: int, rate_hz: float) -> PastBlocks:
    """Nothing has been seen yet; `rate_hz` rows a second."""
    blocks = min(max(_NUMBERS // numbers, _LEAST_BLOCKS), _MOST_BLOCKS)
    hop = max(1, round(max(_LEAST_HOP_S, _MEMORY_S / blocks) * rate_hz))
    left_out = max(1, round(_LEFT_OUT_S * rate_hz / hop))
    return PastBlocks(
        np.zeros((blocks + left_out, numbers), np.float32),
        np.ones(numbers),
        np.zeros(_NEIGHBOUR),
        np.zeros(1),
        np.zeros(_USUAL_OF, np.float32),
        np.zeros(3, np.int64),
        hop,
        left_out,
    )


@kernel(inlined=True)
def see_block(past, levels, movement):  # type: ignore[no-untyped-def]
    """Takes the numbers of the block that ends with a row, ``(K / 2,)`` each."""
    past.counts[0] += 1
    if past.counts[0] % past.hop:
        return
    blocks, size = past.counts[1], len(past.kept)
    if blocks and blocks % _SCALED_EVERY == 0:
        _scale(past, min(blocks, size))
    there = min(blocks, size)
    if there - past.left_out >= _FIRST:
        distance = _distance(past, (blocks - there) % size, there - past.left_out, levels, movement)
        past.value[0] = distance / _usual(past, distance)
    half = len(levels)
    for k in range(half):
        past.kept[blocks % size, k] = levels[k]
        past.kept[blocks % size, half + k] = movement[k]
    past.counts[1] = blocks + 1


@kernel()
def _usual(past, distance):  # type: ignore[no-untyped-def]
    """The median distance before this one, which is kept."""
    seen, distances = past.counts[2], past.distances
    known = np.median(distances[: min((seen + 1) // 2, len(distances))]) if seen else distance
    if seen % 2 == 0:
        distances[seen // 2 % len(distances)] = distance
    past.counts[2] = seen + 1
    return max(known, _LEAST_USUAL)


@kernel()
def _distance(past, first, count, levels, movement):  # type: ignore[no-untyped-def]
    """Distance to the `_NEIGHBOUR`-th nearest of `count` blocks from row `first` of the ring on."""
    nearest, half = past.nearest, len(levels)
    nearest[:] = np.inf
    for i in range(count):
        row = past.kept[(first + i) % len(past.kept)]
        total = 0.0
        for k in range(half):
            step = (row[k] - levels[k]) * past.inverse[k]
            total += min(step * step, _FARTHEST)
            step = (row[half + k] - movement[k]) * past.inverse[half + k]
            total += min(step * step, _FARTHEST)
        if total < nearest[-1]:
            at = len(nearest) - 1
            while at > 0 and nearest[at - 1] > total:
                nearest[at] = nearest[at - 1]
                at -= 1
            nearest[at] = total
    return np.sqrt(nearest[min(count, len(nearest)) - 1] / (2 * half))


@kernel()
def _scale(past, there):  # type: ignore[no-untyped-def]
    inverse, half = past.inverse, past.kept.shape[1] // 2
    for k in range(2 * half):
        kept = past.kept[:there, k].astype(np.float64)
        usual = np.median(kept)
        inverse[k] = np.median(np.abs(kept - usual)) + _LEAST if k < half else 2.0 * (usual + _LEAST)
    levels, moves = inverse[:half].mean(), inverse[half:].mean()
    for k in range(2 * half):
        inverse[k] = 1.0 / (inverse[k] + _SHARE_OF_MEAN * (levels if k < half else moves))
