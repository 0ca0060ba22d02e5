"""The kernels that read a chunk: its numbers, their order and its times."""

from __future__ import annotations

import numpy as np

from kineseg_core.kernels import kernel

# No unit that anything is measured in gives larger numbers, and squares of these stay finite in single precision.
LARGEST_VALUE = 1e9
ABSURD, WHOLE, HOLES = 0, 1, 2
"""What a chunk is: some number is too large, all are there, or some are missing (NaN)."""


@kernel(nogil=True)
def read_chunk(data, first, period, frames, times_ns):  # type: ignore[no-untyped-def]
    """Copies numbers that are sane, and gives frames the times that they have without capture times.

    Args:
        data: Bytes of n * W float32.
        first: Number of the first frame.
        period: Nanoseconds from one frame to the next.
        frames: ``(n, W)`` float32, to be filled.
        times_ns: ``(n,)`` int64, to be filled.

    Returns:
        `ABSURD`, `WHOLE` or `HOLES`.
    """
    time_frames(first, period, times_ns)
    sent, copy, sane = np.frombuffer(data, np.float32), frames.ravel(), True
    for i in range(len(sent)):
        copy[i] = sent[i]
        sane &= abs(sent[i]) <= np.float32(LARGEST_VALUE)
    if sane:
        return WHOLE
    for i in range(len(sent)):
        if abs(sent[i]) > np.float32(LARGEST_VALUE):
            return ABSURD
    return HOLES


@kernel(nogil=True)
def time_frames(first, period, times_ns):  # type: ignore[no-untyped-def]
    """Fills `times_ns` with the times of frames without capture times, from number `first` on."""
    for i in range(len(times_ns)):
        times_ns[i] = np.int64(np.rint((first + i) * period))


@kernel(nogil=True)
def reorder(frames, order, reordered):  # type: ignore[no-untyped-def]
    """Fills ``reordered (n, C)`` with the columns of ``frames (n, W)`` in this order, ``(C,)``."""
    for row in range(len(frames)):
        for column in range(len(order)):
            reordered[row, column] = frames[row, order[column]]
