"""Whether a row stands still, see `kineseg_core.segmenter.stillness`, as a kernel."""

from __future__ import annotations

from kineseg_core.kernels import kernel
from kineseg_core.segmenter.arithmetic import square_between, square_of, sum_of
from kineseg_core.segmenter.still_groups import STILL_GROUP, STILL_GROUPS
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
    counters.in_group += 1
    for i in range(len(block)):
        group[i] += block[i]
    counters.squares += square_of(block)
    if counters.still:
        counters.still = square_between(block, position) <= JUMP * variance
    if counters.in_group < STILL_GROUP:
        return
    at = counters.groups % STILL_GROUPS
    for i in range(len(group)):
        group[i] /= STILL_GROUP
        means[at, i] = group[i]
    spreads[at] = max(counters.squares / STILL_GROUP - square_of(group), 0.0)
    group[:] = 0.0
    counters.groups += 1
    counters.in_group, counters.squares = 0, 0.0
    if counters.groups >= STILL_GROUPS:
        _look(counters, means, spreads, position, variance)


@kernel(nogil=True)
def _look(counters, means, spreads, position, variance):  # type: ignore[no-untyped-def]
    """At the last groups: they must lie together, and be calm in themselves."""
    middle = group_mean(means)
    wandering = 0.0
    for at in range(STILL_GROUPS):
        wandering += square_between(means[at], middle)
    wandering /= STILL_GROUPS
    spread = wandering + sum_of(spreads) / STILL_GROUPS
    limit = variance * (LEAVING if counters.still else 1.0)
    counters.still = wandering <= WANDERING * limit and spread <= SPREAD * limit
    if counters.still:
        position[:] = middle


@kernel(nogil=True)
def group_mean(means):  # type: ignore[no-untyped-def]
    """Mean (E,) of groups (G, E), summed from the first to the last in double precision."""
    middle = means[0] * 1.0
    for at in range(1, len(means)):
        for i in range(len(middle)):
            middle[i] += means[at, i]
    return middle / len(means)
