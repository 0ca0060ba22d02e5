"""The kernel of the resampler: advances frame by frame over a stretch, and makes a model frame at each tick.

Of the frames since the open tick only a sum is kept: the weight of a frame is complete, and its share is added, when
the next one has come.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

STRETCH = np.dtype(
    [
        ("period", np.float64),
        ("tick_period", np.float64),
        ("averages", np.bool_),
        ("begun", np.bool_),
        ("begin", np.int64),
        ("begin_ns", np.int64),
        ("origin", np.float64),
        ("frame", np.int64),
        ("last_ns", np.int64),
        ("tick", np.int64),
        ("tick_ns", np.int64),
        ("open_start", np.int64),
        ("open_start_ns", np.int64),
        ("weight", np.float64),
    ],
    align=True,
)
"""How far a stretch has come, as a record.

- period, tick_period: Nanoseconds from one frame, and from one tick, to the next.
- averages: Model frames are means; else they are interpolated.
- begun: There is a stretch; `begin` is its first frame, `begin_ns` its time, and `origin` where it lies exactly.
- frame, last_ns: The last frame's number and time.
- tick, tick_ns: The next tick's number and time.
- open_start, open_start_ns: The frame nearest to the tick before, where the open mean begins.
- weight: What the last frame counts in the open mean so far, in nanoseconds.
"""


class Resampled(NamedTuple):
    """The numbers of a resampler.

    Attributes:
        stretch: ``(1,)`` `STRETCH`.
        last: ``(C,)`` float32, the last frame.
        sums: ``(C,)`` what the frames before the last one count in the open mean; of an interpolated source ``(0,)``.
    """

    stretch: NDArray[np.void]
    last: NDArray[np.float32]
    sums: NDArray[Any]


@kernel(nogil=True)
def advance(first, frames, times_ns, stretch, last, sums, made, places):  # type: ignore[no-untyped-def]
    """Advances over consecutive frames ``(n, C)`` from number `first` on.

    Args:
        first: Number of the first frame.
        frames: ``(n, C)`` float32, finite.
        times_ns: ``(n,)`` int64, increasing.
        stretch: ``(1,)`` `STRETCH`.
        last: ``(C,)`` float32, the last frame.
        sums: ``(C,)`` what the frames before the last one count in the open mean; of an interpolated source ``(0,)``.
        made: ``(m, C)`` float32 to be filled with the model frames.
        places: ``(m, 4)`` int64 to be filled with decided, decided_ns, start, start_ns of each.

    Returns:
        How many were made; or minus the number of rows that are needed, and then nothing has advanced.
    """
    s = stretch[0]
    if not s.begun:
        _begin(s, first, times_ns[0])
        last[:] = frames[0]
        sums[:] = 0.0
    needed = _ticks_until(s, times_ns[-1])
    if needed > len(made):
        return -needed
    count = 0
    for i in range(len(frames)):
        now_ns = times_ns[i]
        span_ns, step = now_ns - s.last_ns, first + i - s.frame
        share = _share(s, now_ns) if s.averages else 0.0
        while s.tick_ns <= now_ns:
            since_ns = s.tick_ns - s.last_ns
            # The frame nearest to the tick; frames that are missing in between count.
            back = step - (2 * since_ns * step + span_ns) // (2 * span_ns) if span_ns else 0
            start, start_ns = first + i - back, now_ns - back * span_ns // step
            if not s.averages:
                _place(places, count, first + i, now_ns, start, start_ns)
                _interpolate(last, frames, i, since_ns / span_ns if span_ns else 1.0, made, count)
                count += 1
            elif s.tick:  # the first tick of a stretch ends nothing
                _place(places, count, first + i, now_ns, s.open_start, s.open_start_ns)
                _mean(sums, last, s.weight, frames, i, share, s.tick_ns - _time_of(s, s.tick - 1), made, count)
                count += 1
            s.open_start, s.open_start_ns = start, start_ns
            s.tick += 1
            s.tick_ns = _time_of(s, s.tick)
            if s.averages:
                sums[:] = 0.0
                s.weight = 0.0
                share = _share(s, now_ns)
        if s.averages:
            weight = s.weight
            for c in range(len(last)):
                sums[c] += weight * np.float64(last[c])
            s.weight = share
        for c in range(len(last)):
            last[c] = frames[i, c]
        s.frame, s.last_ns = first + i, now_ns
    return count


@kernel(nogil=True)
def received(stretch):  # type: ignore[no-untyped-def]
    """The number behind the last frame of a stretch ``(1,)``; 0 where there is none."""
    return stretch[0].frame + 1 if stretch[0].begun else 0


@kernel(nogil=True)
def _begin(s, first, first_ns):  # type: ignore[no-untyped-def]
    """A stretch begins with frame `first`."""
    s.begun = True
    s.begin, s.begin_ns = first, first_ns
    # Without capture times that is where the frame lies exactly, so that ticks meet frames as at the beginning.
    exact = first * s.period
    s.origin = exact if np.int64(np.rint(exact)) == first_ns else np.float64(first_ns)
    s.frame, s.last_ns = first - 1, first_ns
    s.tick, s.tick_ns = 0, first_ns
    s.open_start, s.open_start_ns = first, first_ns
    s.weight = 0.0


@kernel(nogil=True)
def _time_of(s, tick):  # type: ignore[no-untyped-def]
    return np.int64(np.rint(s.origin + tick * s.tick_period))


@kernel(nogil=True)
def _ticks_until(s, end_ns):  # type: ignore[no-untyped-def]
    ticks, tick_ns = 0, s.tick_ns
    while tick_ns <= end_ns:
        ticks += 1
        tick_ns = _time_of(s, s.tick + ticks)
    return ticks


@kernel(nogil=True)
def _share(s, now_ns):  # type: ignore[no-untyped-def]
    """What the frame at `now_ns` counts in the open mean, up to itself; what the last one counts is completed."""
    if not s.tick:
        return 0.0
    begin, end = max(s.last_ns, _time_of(s, s.tick - 1)), min(now_ns, s.tick_ns)
    if begin >= end:
        return 0.0
    # The integral of a piece of a line is its length times its value in the middle.
    middle = (begin + end - 2 * s.last_ns) / (2 * (now_ns - s.last_ns))
    s.weight += (end - begin) * (1.0 - middle)
    return (end - begin) * middle


@kernel(nogil=True)
def _interpolate(last, frames, row, weight, made, at):  # type: ignore[no-untyped-def]
    for c in range(len(last)):
        made[at, c] = np.float64(last[c]) * (1.0 - weight) + np.float64(frames[row, c]) * weight


@kernel(nogil=True)
def _mean(sums, last, weight, frames, row, share, length_ns, made, at):  # type: ignore[no-untyped-def]
    length = np.float64(length_ns)
    for c in range(len(last)):
        mean = sums[c] + weight * np.float64(last[c]) + share * np.float64(frames[row, c])
        made[at, c] = mean / length


@kernel(nogil=True)
def _place(places, at, decided, decided_ns, start, start_ns):  # type: ignore[no-untyped-def]
    places[at, 0], places[at, 1] = decided, decided_ns
    places[at, 2], places[at, 3] = start, start_ns
