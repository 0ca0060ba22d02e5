"""Whether a row stands still, see `kineseg_core.segmenter.stillness`, as a kernel."""

from __future__ import annotations

import numpy as np

from kineseg_core.kernels import kernel
from kineseg_core.segmenter.arithmetic import square_between, square_of, sum_of
from kineseg_core.segmenter.still_groups import STILL_GROUP
from kineseg_core.segmenter.stillness import JUMP, LEAVING, SPREAD, WANDERING


@kernel(nogil=True)
def note_stillness(counters, means, spreads, group, position, block, variance):  # type: ignore[no-untyped-def]
    """Takes the next block of a row.

    Args:
        counters: Of the row.
        means, spreads: ``(G, E)``, ``(G,)`` of the last groups of blocks.
        group: ``(E,)`` sum of the open group.
        position: ``(E,)`` where the stream stands still.
        block: ``(E,)`` float32.
        variance: Of blocks in this stream.
    """
    note_block(counters, group, position, block, variance)
    if counters.in_group >= STILL_GROUP:
        end_group(counters, means, spreads, group, position, variance, STILL_GROUP)


@kernel(nogil=True)
def note_block(counters, group, position, block, variance):  # type: ignore[no-untyped-def]
    """Adds a block to the open group of a row; a jump is noticed at once."""
    counters.in_group += 1
    for i in range(len(block)):
        group[i] += block[i]
    counters.squares += square_of(block)
    if counters.still:
        counters.still = square_between(block, position) <= JUMP * variance


@kernel(nogil=True)
def end_group(counters, means, spreads, group, position, variance, size):  # type: ignore[no-untyped-def]
    """The open group of a row is one of `size` blocks."""
    at = counters.groups % len(means)
    for i in range(len(group)):
        group[i] /= size
        means[at, i] = group[i]
    spreads[at] = max(counters.squares / size - square_of(group), 0.0)
    group[:] = 0.0
    counters.groups += 1
    counters.in_group, counters.squares = 0, 0.0
    if counters.groups >= len(means):
        _look(counters, means, spreads, position, variance)


@kernel(nogil=True)
def _look(counters, means, spreads, position, variance):  # type: ignore[no-untyped-def]
    """At the last groups: they must lie together, and be calm in themselves."""
    middle = np.zeros(means.shape[1])
    for at in range(len(means)):
        for i in range(len(middle)):
            middle[i] += means[at, i]
    for i in range(len(middle)):
        middle[i] /= len(means)
    wandering = 0.0
    for at in range(len(means)):
        wandering += square_between(means[at], middle)
    wandering /= len(means)
    spread = wandering + sum_of(spreads) / len(means)
    limit = variance * (LEAVING if counters.still else 1.0)
    counters.still = wandering <= WANDERING * limit and spread <= SPREAD * limit
    if counters.still:
        for i in range(len(middle)):
            position[i] = middle[i]
