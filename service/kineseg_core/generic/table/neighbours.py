"""Nearest neighbours of the blocks of a row, see `kineseg_core.generic.pattern_boundaries`, as kernels.

Args of all:
    links: Of the row, see `Links`.
    settings: See `PatternSettings`.
    shares: See `ties`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.generic.pattern_settings import FARTHEST, LEAST, NOT_THERE, STRIDE
from kineseg_core.kernels import kernel


class Links(NamedTuple):
    """Of the last H blocks of a row, rings by block.

    Attributes:
        past: ``(E, H)`` float32, the blocks: by dimension, so that one is compared with many at once.
        distances: ``(H, K)`` float32, squared, of the nearest neighbours; `NOT_THERE`: there is none.
        farthest: ``(H,)`` float32, the largest of them.
        nearest: ``(H, K)`` int32, which blocks they are; -1: none.
    """

    past: NDArray[Any]
    distances: NDArray[Any]
    farthest: NDArray[Any]
    nearest: NDArray[Any]


@kernel(nogil=True)
def put_block(links, block, values):  # type: ignore[no-untyped-def]
    """The block of that number is (E,) `values`; it has no neighbours yet."""
    slot = block % len(links.farthest)
    for at in range(len(values)):
        links.past[at, slot] = values[at]
    forget(links, slot)


@kernel(nogil=True)
def forget(links, slot):  # type: ignore[no-untyped-def]
    """The block in a slot has no neighbours."""
    links.distances[slot] = NOT_THERE
    links.farthest[slot] = NOT_THERE
    links.nearest[slot] = -1


@kernel(nogil=True)
def link(links, settings, shares, first, block):  # type: ignore[no-untyped-def]
    """Makes neighbours of `block` and the blocks since `first` that are far enough from it."""
    n = block - settings.apart + 1 - first
    if n <= 0:
        return
    squared = _squared_distances(links.past, first, n, block)
    shift = block * STRIDE % len(links.farthest)
    least = squared.max() + LEAST
    for at in range(n):
        squared[at] += shares[shift + at] * least
    _choose(links, squared, first, block)
    _offer(links, squared, first, block)


@kernel(nogil=True)
def _squared_distances(past, first, n, block):  # type: ignore[no-untyped-def]
    """Of n blocks, from `first` on, from this one, (n,)."""
    horizon = past.shape[1]
    slot, begin = block % horizon, first % horizon
    straight = min(n, horizon - begin)
    squared = np.zeros(n, np.float32)
    before, after = squared[:straight], squared[straight:]
    for dim in range(len(past)):
        own = past[dim, slot]
        _add_squares(before, past[dim, begin : begin + straight], own)
        _add_squares(after, past[dim, : n - straight], own)
    for at in range(n):
        squared[at] = min(squared[at], FARTHEST)
    return squared


@kernel(nogil=True, inlined=True)
def _add_squares(squared, values, own):  # type: ignore[no-untyped-def]
    for at in range(len(squared)):
        apart = values[at] - own
        squared[at] += apart * apart


@kernel(nogil=True)
def _choose(links, squared, first, block):  # type: ignore[no-untyped-def]
    """The neighbours of a block: the nearest, and of those equally near the earliest."""
    slot, held = block % len(links.farthest), 0
    distances, nearest = links.distances[slot], links.nearest[slot]
    last = len(distances) - 1
    for at in range(len(squared)):
        if held <= last or squared[at] < distances[last]:
            place = min(held, last)
            while place > 0 and squared[at] < distances[place - 1]:
                distances[place], nearest[place] = distances[place - 1], nearest[place - 1]
                place -= 1
            distances[place], nearest[place] = squared[at], first + at
            held += 1
    links.farthest[slot] = distances[last]


@kernel(nogil=True)
def _offer(links, squared, first, block):  # type: ignore[no-untyped-def]
    """A block becomes the neighbour of those that it is nearer to than their farthest one."""
    horizon = len(links.farthest)
    slot = first % horizon
    for at in range(len(squared)):
        if squared[at] < links.farthest[slot]:
            distances = links.distances[slot]
            replaced = distances.argmax()
            distances[replaced], links.nearest[slot, replaced] = squared[at], block
            links.farthest[slot] = distances.max()
        slot += 1
        if slot == horizon:
            slot = 0
