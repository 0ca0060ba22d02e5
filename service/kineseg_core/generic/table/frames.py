"""What happens to many rows with a step of the model, as a kernel."""

from __future__ import annotations

from kineseg_core.generic.table.blocks import take_block
from kineseg_core.generic.table.rests import NONE
from kineseg_core.kernels import kernel
from kineseg_core.segmenter.table.surprise import score_surprise


@kernel(nogil=True)
def take_frames(columns, plan, shares, rows, embeddings, surprises, boundaries):  # type: ignore[no-untyped-def]
    """Takes the next frame of each row, and where it completes a block, that.

    Args:
        columns: See `PatternColumns`.
        plan: See `PatternNumbers`.
        shares: See `ties`.
        rows: ``(N,)`` each once.
        embeddings: ``(N, E)`` float32.
        surprises: ``(N,)`` float32.
        boundaries: ``(N,)`` int64, written: the boundary that is decided now, or `NONE`.
    """
    for i in range(len(rows)):
        counters, sums = columns.counters[rows[i]], columns.sums[rows[i]]
        score_surprise(counters, columns.surprises[rows[i]], surprises[i], plan.surprise)
        counters.frames += 1
        counters.in_block += 1
        for at in range(len(sums)):
            sums[at] += embeddings[i, at]
        boundaries[i] = NONE
        if counters.in_block == plan.block_frames:
            for at in range(len(sums)):
                sums[at] /= plan.block_frames
            boundaries[i] = take_block(columns, plan.boundaries, shares, rows[i], sums)
            counters.in_block = 0
            sums[:] = 0.0
