"""How far apart two moments of a row usually lie, see `kineseg_core.segmenter.typical_distance`, as kernels."""

from __future__ import annotations

import numpy as np

from kineseg_core.boundary_network.log_distance import BLOCK_STEPS
from kineseg_core.kernels import kernel
from kineseg_core.segmenter.table.quantile import running_median
from kineseg_core.segmenter.typical_distance import DISTANCES, EVERY, KEPT, LEAST, PAIRS, REFRESHED


@kernel(inlined=True)
def variance_of(counters):  # type: ignore[no-untyped-def]
    """Variance of the blocks of a row."""
    return max(counters.typical, LEAST) / 2.0


@kernel(nogil=True)
def note_distance(counters, kept, distances, block, prior):  # type: ignore[no-untyped-def]
    """Takes the next block of a row that does not stand still.

    Args:
        counters: Of the row.
        kept: ``(KEPT, E)`` int16, blocks that distances are taken to.
        distances: ``(DISTANCES,)`` of the last minute.
        block: ``(E,)`` int16.
        prior: How many distances what is known before the stream counts as.
    """
    count = counters.typical_count
    known = min(-(-count // EVERY), KEPT)
    for pair in range(PAIRS if known else 0):
        other = kept[(count * 7 + pair * 41 + count // KEPT) % known]
        total = 0
        for i in range(len(block)):
            apart = np.int64(block[i]) - np.int64(other[i])
            total += apart * apart  # type: ignore[assignment]  # an integer of 64 bits from the start
        distances[counters.typical_seen % DISTANCES] = total / BLOCK_STEPS**2
        counters.typical_seen += 1
    if count % EVERY == 0:
        place = kept[count // EVERY % KEPT]
        for i in range(len(block)):
            place[i] = block[i]
    counters.typical_count = count + 1
    if counters.typical_count % REFRESHED == 0:
        counters.typical = running_median(
            distances[: max(min(prior, DISTANCES), min(counters.typical_seen, DISTANCES))]
        )
