"""From a source's frames to those of the model's rate.

What comes out does not depend, bit for bit, on how the frames were chunked: every number is made from two neighbouring
frames, and sums run frame by frame, never by chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.stretch import STRETCH, advance
from kineseg_core.kept.declared import keeps

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


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


@keeps("last _stretch _sums", fixed="_made_per_frame")
class Resampler:
    """Makes the model's frames of one stream. Picklable.

    From a source at most as fast as the model, a model frame is the linear interpolation at its tick. From a faster
    one it is the mean of the piecewise-linear signal from its tick to the next. It begins at its tick in both cases.
    Ticks are counted from the first frame of a stretch; a stream is one stretch, or several with gaps between them.

    Args:
        rate_hz: Frames a second at which the client captures.
        model_rate_hz: Frames a second at which the model steps.
        before: ``(C,)`` what counts as the last frame before the first one has come; it is kept, and changes.

    Attributes:
        last: ``(C,)`` the last frame.
    """

    __slots__ = ("_made_per_frame", "_stretch", "_sums", "last")

    def __init__(self, rate_hz: float, model_rate_hz: float, before: F32) -> None:
        self.last = before
        self._stretch = np.zeros(1, STRETCH)
        self._stretch["period"], self._stretch["tick_period"] = SECOND / rate_hz, SECOND / model_rate_hz
        self._stretch["averages"] = rate_hz > model_rate_hz
        self._sums = np.zeros(len(before) if rate_hz > model_rate_hz else 0)
        self._made_per_frame = model_rate_hz / rate_hz

    @property
    def last_ns(self) -> int:
        """Time of the last frame."""
        return int(self._stretch["last_ns"][0])

    def push(self, first: int, frames: F32, times_ns: I64, out: list[Any]) -> None:
        """Advances over consecutive frames, the first of which, of number `first`, may follow a filled gap.

        Args:
            first: Its number.
            frames: ``(n, C)`` finite, C-contiguous.
            times_ns: ``(n,)`` their times.
            out: What is made of them is appended to it, in one piece; nothing if there is none.
        """
        most = int(len(frames) * self._made_per_frame) + 2
        while True:
            made, places = np.empty((most, frames.shape[1]), np.float32), np.empty((4, most), np.int64)
            count = advance(first, frames, times_ns, self._stretch, self.last, self._sums, made, places)
            if count >= 0:
                break
            most = -count  # a filled gap makes many
        if count:
            out.append(ModelFrames(made[:count], *places[:, :count].tolist()))

    def end_stretch(self, out: list[Any]) -> None:
        """Ends a stretch; the next frame begins another.

        One that was too short for a single model frame gives its last frame as that, which is appended to `out`.
        """
        at = self._stretch[0]
        begun, at["begun"] = bool(at["begun"]), False
        if not begun or at["tick"] - at["averages"] > 0:
            return
        frame, last_ns, begin, begin_ns = (int(at[name]) for name in ("frame", "last_ns", "begin", "begin_ns"))
        out.append(ModelFrames(self.last[None].copy(), [frame], [last_ns], [begin], [begin_ns]))
