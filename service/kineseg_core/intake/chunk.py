"""The kernels that read a chunk: its numbers, their order and its times."""

from __future__ import annotations

import numpy as np

from kineseg_core.intake.stretch import advance, received
from kineseg_core.kernels import kernel
from kineseg_core.memory.moved import moved

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


@kernel()
def take_whole(resampled, jobs, numbers, order, sent, times_ns, made, places):  # type: ignore[no-untyped-def]
    """Takes chunks of many streams that follow those before and have no capture times; none knows of the others.

    Args:
        resampled: `Resampled` of their kind.
        jobs: ``(N, 5)`` int64, a row a chunk: how many bytes the stream's numbers are from these, the number of its
            first frame, the place of its numbers among all, and how many frames it has. Written: how many of the
            model's frames are made of it; below 0: it is not whole or does not follow, and nothing of it has been
            taken.
        numbers: float32, in which those of each chunk lie, frame after frame.
        order: ``(W,)`` for each of the model's channels its place in a frame.
        sent: ``(n, W)`` float64, to be filled with the frames as they came.
        times_ns: ``(n,)`` int64, to be filled.
        made: ``(m, W)`` float32, to be filled with the model's frames, chunk after chunk.
        places: ``(m, 4)`` int64, to be filled, see `advance`.
    """
    width, begin, at = len(order), 0, 0
    frames, in_order = np.empty((len(sent), width), np.float32), True
    for column in range(width):
        in_order &= order[column] == column
    for job in range(len(jobs)):
        first, place, end = jobs[job, 1], jobs[job, 2], begin + jobs[job, 3]
        part, copy = numbers[place : place + jobs[job, 3] * width], sent[begin:end].reshape(-1)
        own = moved(resampled, jobs[job, 0])
        sane = first == received(own.stretch)
        for i in range(len(part)):
            copy[i] = part[i]
            sane &= abs(part[i]) <= np.float32(LARGEST_VALUE)
        jobs[job, 4] = -1
        if not sane:
            begin = end
            continue
        time_frames(first, own.stretch[0].period, times_ns[begin:end])
        if in_order:
            of_model = frames[begin:end].reshape(-1)
            for i in range(len(part)):
                of_model[i] = part[i]
        else:
            for row in range(begin, end):
                for column in range(width):
                    frames[row, column] = part[(row - begin) * width + order[column]]
        jobs[job, 4] = advance(
            first, frames[begin:end], times_ns[begin:end], own.stretch, own.last, own.sums, made[at:], places[at:]
        )
        at += max(jobs[job, 4], 0)
        begin = end


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
