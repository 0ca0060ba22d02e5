"""From a source's frames to those of the model's rate.

What comes out does not depend, bit for bit, on how the frames were chunked: every number is made from two neighbouring
frames, and sums run frame by frame, never by chunk.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_core.intake.clock import SECOND

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_NO_FRAMES: F32 = np.zeros((0, 0), np.float32)


@dataclass(slots=True)
class ModelFrames:
    """Consecutive frames of the model's rate.

    Attributes:
        frames: (n, C), in the model's order of channels.
        decided: The client's frame whose arrival completed each.
        decided_ns: Its time.
        start: The client's frame nearest to where each begins.
        start_ns: Its time.
    """

    frames: F32
    decided: list[int]
    decided_ns: list[int]
    start: list[int]
    start_ns: list[int]


def placing_delay_s(rate_hz: float, model_rate_hz: float) -> float:
    """The longest time, in seconds, from the end of one of the model's frames to the frame that completes it, and from
    the client's frame at which another one is placed to where that begins."""
    period = 1.5 / rate_hz  # a whole one until the next frame, half of one to the nearest
    return period if rate_hz > model_rate_hz else period - 1.0 / model_rate_hz


class Resampler:
    """Makes the model's frames of one stream. Picklable.

    From a source at most as fast as the model, a model frame is the linear interpolation at its tick. From a faster
    one it is the mean of the piecewise-linear signal from its tick to the next. It begins at its tick in both cases.
    Ticks are counted from the first frame of a stretch; a stream is one stretch, or several with gaps between them.

    Args:
        rate_hz: Frames a second at which the client captures.
        model_rate_hz: Frames a second at which the model steps.
    """

    def __init__(self, rate_hz: float, model_rate_hz: float) -> None:
        self._period = SECOND / rate_hz
        self._tick_period = SECOND / model_rate_hz
        self._averages = rate_hz > model_rate_hz
        self._begin: tuple[int, int] | None = None  # the stretch's first frame and its time
        self._origin = 0.0  # where it begins, in nanoseconds
        self._next = 0  # number of the frame after the last one
        self._last: F64 = np.zeros(0)
        self._last_ns = 0
        self._tick = 0
        self._tick_ns = 0
        # Since the frame at or before the open tick: what its mean will be made of.
        self._rows: list[F64] = []
        self._rows_ns: list[int] = []
        self._open_start = (0, 0)

    def push(self, first: int, frames: F32, times: Sequence[int]) -> ModelFrames | None:
        """Advances over consecutive frames (n, C), the first of which, of number `first`, may follow a filled gap.

        Frame by frame: at the few frames of a live chunk this costs a fraction of what arrays of ticks would, and the
        order of every sum is plain.
        """
        made = ModelFrames(_NO_FRAMES, [], [], [], [])
        rows: list[F64] = []
        values = frames.astype(np.float64)
        if self._begin is None:
            self._begin_stretch(first, times[0], values[0])
        last, last_ns = self._last, self._last_ns
        for number, (frame, now_ns) in enumerate(zip(values, times, strict=True), first):
            span_ns = now_ns - last_ns
            step = number + 1 - self._next
            self._rows.append(frame)
            self._rows_ns.append(now_ns)
            while self._tick_ns <= now_ns:
                since_ns = self._tick_ns - last_ns
                if not self._averages:
                    weight = since_ns / span_ns if span_ns else 1.0
                    rows.append(last * (1.0 - weight) + frame * weight)
                elif self._tick:  # the first tick of a stretch ends nothing
                    rows.append(self._mean())
                # The frame nearest to the tick; frames that are missing in between count.
                back = step - (2 * since_ns * step + span_ns) // (2 * span_ns) if span_ns else 0
                start = (number - back, now_ns - back * span_ns // step)
                if self._averages:
                    start, self._open_start = self._open_start, start
                if len(rows) > len(made.decided):
                    made.decided.append(number)
                    made.decided_ns.append(now_ns)
                    made.start.append(start[0])
                    made.start_ns.append(start[1])
                self._tick += 1
                self._tick_ns = self._time_of(self._tick)
                del self._rows[:-2], self._rows_ns[:-2]
            if not self._averages:
                del self._rows[:-1], self._rows_ns[:-1]
            last, last_ns = frame, now_ns
            self._next = number + 1
        self._last, self._last_ns = last.copy(), last_ns
        self._rows = [row.copy() for row in self._rows]  # not views that keep the chunk
        made.frames = np.array(rows, np.float32)
        return made if rows else None

    def end_stretch(self) -> ModelFrames | None:
        """Ends a stretch; the next frame begins another.

        One that was too short for a single model frame gives its last frame as that.
        """
        begin, self._begin = self._begin, None
        if begin is None or self._tick - self._averages > 0:
            return None
        last = self._next - 1
        return ModelFrames(self._last[None].astype(np.float32), [last], [self._last_ns], [begin[0]], [begin[1]])

    def _begin_stretch(self, first: int, first_ns: int, frame: F64) -> None:
        self._begin, self._next = (first, first_ns), first
        # Without capture times that is where the frame lies exactly, so that ticks meet frames as at the beginning.
        exact = first * self._period
        self._origin = exact if round(exact) == first_ns else float(first_ns)
        self._last, self._last_ns = frame, first_ns
        self._tick, self._tick_ns = 0, first_ns
        self._rows, self._rows_ns = [], []
        self._open_start = (first, first_ns)

    def _time_of(self, tick: int) -> int:
        return round(self._origin + tick * self._tick_period)

    def _mean(self) -> F64:
        """Mean, from the tick before to this one, of the line through the frames."""
        begin, end = self._time_of(self._tick - 1), self._tick_ns
        weights = [0.0] * len(self._rows)
        for i, (a, b) in enumerate(itertools.pairwise(self._rows_ns)):
            p, q = max(a, begin), min(b, end)
            if p < q:
                # The integral of a piece of a line is its length times its value in the middle.
                middle = (p + q - 2 * a) / (2 * (b - a))
                weights[i] += (q - p) * (1.0 - middle)
                weights[i + 1] += (q - p) * middle
        scaled = np.array(weights)[:, None] * np.array(self._rows)
        mean: F64 = np.add.reduce(scaled, axis=0) / (end - begin)
        return mean
