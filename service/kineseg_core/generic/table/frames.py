"""The frames of many rows with a step of the model, as a kernel."""

from __future__ import annotations

from kineseg_core.kernels import kernel
from kineseg_core.segmenter.table.surprise import score_surprise


@kernel(nogil=True)
def take_frames(columns, plan, rows, embeddings, surprises, complete):  # type: ignore[no-untyped-def]
    """Takes the next frame of each row.

    Args:
        columns: See `PatternColumns`.
        plan: See `PatternNumbers`.
        rows: ``(N,)`` each once.
        embeddings: ``(N, E)`` float32.
        surprises: ``(N,)`` float32.
        complete: ``(N,)`` bool, written: whether a block is complete now, and its sum to be taken.
    """
    for i in range(len(rows)):
        counters, sums = columns.counters[rows[i]], columns.sums[rows[i]]
        score_surprise(counters, columns.surprises[rows[i]], surprises[i], plan)
        counters.frames += 1
        counters.in_block += 1
        for at in range(len(sums)):
            sums[at] += embeddings[i, at]
        complete[i] = counters.in_block == plan.block_frames
