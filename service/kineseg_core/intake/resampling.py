"""From a source's frames to those of the model's rate.

What comes out does not depend, bit for bit, on how the frames were chunked: every number is made from two neighbouring
frames, and sums run frame by frame, never by chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.stretch import STRETCH, Resampled, advance
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.memory.packed import Packing

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

    def part(self, begin: int, end: int) -> ModelFrames:
        """Some of them."""
        own = slice(begin, end)
        return ModelFrames(
            self.frames[own], self.decided[own], self.decided_ns[own], self.start[own], self.start_ns[own]
        )


def placing_delay_s(rate_hz: float, model_rate_hz: float) -> float:
    """The longest time, in seconds, from the end of one of the model's frames to the frame that completes it, and from
    the client's frame at which another one is placed to where that begins."""
    period = 1.5 / rate_hz  # a whole one until the next frame, half of one to the nearest
    return period if rate_hz > model_rate_hz else period - 1.0 / model_rate_hz


class ResamplerKind:
    """What all resamplers of a kind have in common: their numbers lie alike in memory, so that a kernel takes many.

    Args:
        channels: C, numbers in a frame.
        averages: Frames are means; else they are interpolated.

    Attributes:
        arrays: Of a resampler of the kind that no one uses.
    """

    def __init__(self, channels: int, *, averages: bool) -> None:
        sums = np.zeros(channels if averages else 0)
        self._packing = Packing(Resampled(np.zeros(1, STRETCH), np.zeros(channels, np.float32), sums))
        self.arrays, self._memory = self._packing.packed()

    def new_memory(self) -> NDArray[np.uint8]:
        """Of a resampler that has seen nothing."""
        return np.zeros_like(self._memory)

    def arrays_in(self, memory: NDArray[np.uint8]) -> Resampled:
        """A resampler's arrays, which share its memory."""
        return self._packing.placed(memory)

    def distance(self, memory: NDArray[np.uint8]) -> int:
        """How many bytes a resampler's memory is from that of `arrays`; the same as long as that exists."""
        return int(memory.ctypes.data - self._memory.ctypes.data)


@lru_cache(maxsize=64)
def kind_of(channels: int, *, averages: bool) -> ResamplerKind:
    """The kind of such resamplers."""
    return ResamplerKind(channels, averages=averages)


@within("_stretch.period stays", "_stretch.tick_period stays", "_stretch.averages stays", "0 <= _stretch.tick")
@keeps("last _stretch _sums", fixed="kind made_per_frame", passing="distance _memory")
class Resampler:
    """Makes the model's frames of one stream. Picklable.

    From a source at most as fast as the model, a model frame is the linear interpolation at its tick. From a faster
    one it is the mean of the piecewise-linear signal from its tick to the next. It begins at its tick in both cases.
    Ticks are counted from the first frame of a stretch; a stream is one stretch, or several with gaps between them.

    Args:
        rate_hz: Frames a second at which the client captures.
        model_rate_hz: Frames a second at which the model steps.
        before: ``(C,)`` what counts as the last frame before the first one has come.

    Attributes:
        kind: What it has in common with others.
        distance: Of its numbers from those of the kind.
        made_per_frame: About how many of the model's frames come of one.
        last: ``(C,)`` the last frame.
    """

    __slots__ = ("_memory", "_stretch", "_sums", "distance", "kind", "last", "made_per_frame")

    def __init__(self, rate_hz: float, model_rate_hz: float, before: F32) -> None:
        kind = kind_of(len(before), averages=rate_hz > model_rate_hz)
        self._set_up(kind, kind.new_memory(), model_rate_hz / rate_hz)
        self.last[:] = before
        self._stretch["period"], self._stretch["tick_period"] = SECOND / rate_hz, SECOND / model_rate_hz
        self._stretch["averages"] = rate_hz > model_rate_hz

    def _set_up(self, kind: ResamplerKind, memory: NDArray[np.uint8], made_per_frame: float) -> None:
        self.kind, self._memory, self.made_per_frame = kind, memory, made_per_frame
        self.distance = kind.distance(memory)
        self._stretch, self.last, self._sums = kind.arrays_in(memory)

    def __getstate__(self) -> tuple[int, bool, bytes, float]:
        """What the rest follows from."""
        return len(self.last), bool(self._stretch["averages"][0]), self._memory.tobytes(), self.made_per_frame

    def __setstate__(self, state: tuple[int, bool, bytes, float]) -> None:
        channels, averages, memory, made_per_frame = state
        kind = kind_of(channels, averages=averages)
        self._set_up(kind, np.frombuffer(memory, np.uint8).copy(), made_per_frame)

    @property
    def received(self) -> int:
        """The number behind the last frame of the stretch that goes on; 0 where none does."""
        at = self._stretch[0]
        return int(at["frame"]) + 1 if at["begun"] else 0

    @property
    def last_ns(self) -> int:
        """Time of the last frame."""
        return int(self._stretch["last_ns"][0])

    def most(self, frames: int) -> int:
        """Into how many of the model's so many consecutive frames are made at most, unless they follow a filled gap."""
        return int(frames * self.made_per_frame) + 2

    def check_kept(self) -> None:
        """Raises `ValueError` unless the next tick is the one after the last frame."""
        at = self._stretch[0]
        exact = float(at["origin"]) + int(at["tick"]) * float(at["tick_period"])
        near = 1.0 + 1e-12 * abs(exact)
        until = int(at["tick_ns"]) - int(at["last_ns"])
        if at["begun"] and not (abs(int(at["tick_ns"]) - exact) <= near and 0 <= until <= at["tick_period"] + near):
            raise ValueError("the next tick does not follow the last frame")

    def push(self, first: int, frames: F32, times_ns: I64, out: list[Any]) -> None:
        """Advances over consecutive frames, the first of which, of number `first`, may follow a filled gap.

        Args:
            first: Its number.
            frames: ``(n, C)`` finite, C-contiguous.
            times_ns: ``(n,)`` their times.
            out: What is made of them is appended to it, in one piece; nothing if there is none.
        """
        most = self.most(len(frames))
        while True:
            made, places = np.empty((most, frames.shape[1]), np.float32), np.empty((most, 4), np.int64)
            count = advance(first, frames, times_ns, self._stretch, self.last, self._sums, made, places)
            if count >= 0:
                break
            most = -count  # a filled gap makes many
        if count:
            out.append(ModelFrames(made[:count], *places[:count].T.tolist()))

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
