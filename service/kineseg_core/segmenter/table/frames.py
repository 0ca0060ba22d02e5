"""From the frames of a row to its blocks, see `kineseg_core.boundary_network.views.StreamViews`, as kernels."""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.boundary_network.views import IDLE, MEMORY_S, observe_channels
from kineseg_core.kernels import kernel


@kernel(inlined=True)
def first_frame(block, frames_per_block):  # type: ignore[no-untyped-def]
    """The frame at which a block begins, counted from the last interruption."""
    if frames_per_block < 1.0:  # read off where the block ends, so that the frame has come
        return max(math.ceil((block + 1) * frames_per_block - 1.0 - 1e-9), 0)
    return math.ceil(block * frames_per_block - 1e-9)


@kernel(nogil=True)
def take_frame(counters, moments, sums, before, frame, embedding, plan, made):  # type: ignore[no-untyped-def]
    """Takes the next frame of a row with the model's embedding of it.

    Args:
        counters: Of the row.
        moments: ``(3, C)`` mean, variance and previous value of each channel.
        sums: ``(D,)`` of the open block.
        before: ``(D,)`` of the frame before; empty where no two blocks come with a frame.
        frame: ``(C,)``
        embedding: ``(E,)`` or longer.
        plan: See `PlanNumbers`.
        made: ``(M, D)`` float32, where blocks go.

    Returns:
        How many blocks are complete now.
    """
    values = np.empty(len(sums))
    weight = 1.0 / min(counters.learned + 1, round(MEMORY_S * plan.rate_hz)) * (IDLE if counters.still else 1.0)
    observe_channels(
        frame, moments, counters.learned == 0, weight, plan.rate_hz, plan.least_deviation, counters.interrupted,
        values[plan.embedding :],
    )  # fmt: skip
    for i in range(plan.embedding):
        values[i] = embedding[i]
    counters.interrupted = False
    counters.learned += not counters.still
    counters.block_frames += 1
    if plan.frames_per_block < 1.0:
        return _between(counters, before, values, plan.frames_per_block, made)
    for i in range(len(sums)):
        sums[i] += values[i]
    counters.in_block += 1
    if counters.block_frames < first_frame(counters.blocks_made + 1, plan.frames_per_block):
        return 0
    for i in range(len(sums)):
        made[0, i] = sums[i] / counters.in_block
        sums[i] = 0.0
    counters.in_block = 0
    counters.blocks_made += 1
    return 1


@kernel(inlined=True)
def _between(counters, before, values, frames_per_block, made):  # type: ignore[no-untyped-def]
    """Blocks that lie between the last two frames."""
    n, last = 0, counters.block_frames - 1
    at = (counters.blocks_made + 1) * frames_per_block - 1.0
    while at <= last + 1e-9:
        share = min(max(at - (last - 1), 0.0), 1.0)
        for i in range(len(values)):
            earlier = before[i] if last else values[i]
            made[n, i] = earlier + share * (values[i] - earlier)
        n += 1
        counters.blocks_made += 1
        at = (counters.blocks_made + 1) * frames_per_block - 1.0
    for i in range(len(values)):
        before[i] = values[i]
    return n
