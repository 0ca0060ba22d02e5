"""One stream's intake: chunks are validated, what is missing filled, and frames resampled to the model's rate.

A value that is missing (NaN) is held: the channel keeps its last value until another one comes, however long that is.

Time is in integer nanoseconds since the stream's first frame. What comes out does not depend, bit for bit, on how the
frames were chunked: every number is made from two neighbouring frames, and sums run frame by frame, never by chunk.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_service.errors import GapTooLong, InvalidFrame
from kineseg_service.held import Held, ValuesMissing

SECOND = 1_000_000_000
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# A hole between two capture times counts as a gap from this many frame periods on.
_HOLE_PERIODS = 2.5
_NO_FRAMES: F32 = np.zeros((0, 0), np.float32)
# No unit that anything is measured in gives larger numbers, and squares of these stay finite in single precision.
LARGEST_VALUE = 1e9
# About how many of the model's frames are made at a time, so that memory stays bounded.
_SLICE_FRAMES = 256
# From this many frames within one of the model's on, which only capture times far too close together bring, they are
# summed up at once, so that memory stays bounded.
_MOST_ROWS = 4096


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What a chunk may be: at most `max_chunk_frames` frames, with gaps of at most `max_gap_s` seconds."""

    max_chunk_frames: int = 4096
    max_gap_s: float = 1.0


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


@dataclass(frozen=True, slots=True)
class GapFound:
    """Frames were missing before `decided`, and have been filled."""

    frame: int
    time_ns: int
    missing: int
    duration_ns: int
    decided: int
    decided_ns: int


@dataclass(frozen=True, slots=True)
class ChunkEnd:
    """All of a chunk has gone through; `frames` is the index after its last frame."""

    frames: int


Taken = ModelFrames | GapFound | ValuesMissing | ChunkEnd


def placing_delay_s(rate_hz: float, model_rate_hz: float) -> float:
    """The longest time, in seconds, from the end of one of the model's frames to the frame that completes it, and from
    the client's frame at which another one is placed to where that begins."""
    period = 1.5 / rate_hz  # a whole one until the next frame, half of one to the nearest
    return period if rate_hz > model_rate_hz else period - 1.0 / model_rate_hz


class Intake:
    """Takes a stream's chunks. Picklable.

    From a source at most as fast as the model, a model frame is the linear interpolation at its tick. From a faster
    one it is the mean of the piecewise-linear signal from its tick to the next. It begins at its tick in both cases.

    Args:
        channels: C, numbers in a frame.
        order: For each of the model's channels, its place in the client's frame; none when it is the same.
        rate_hz: Frames a second at which the client captures.
        model_rate_hz: Frames a second at which the model steps.
        limits: What a chunk may be.
        typical: For each of the model's channels, the value it is given as long as none has come; none: 0.
    """

    def __init__(
        self,
        channels: Sequence[str],
        order: Sequence[int] | None,
        rate_hz: float,
        model_rate_hz: float,
        limits: IntakeLimits,
        typical: Sequence[float] | None = None,
    ) -> None:
        self._channels = tuple(channels)
        self._order = None if order is None else np.asarray(order, np.int64)
        self._period = SECOND / rate_hz
        self._tick_period = SECOND / model_rate_hz
        self._averages = rate_hz > model_rate_hz
        self._slice = max(1, int(_SLICE_FRAMES * rate_hz / model_rate_hz))
        self._limits = limits
        self._max_gap_ns = round(limits.max_gap_s * SECOND)
        self._timed: bool | None = None
        self._first_capture_ns: int | None = None
        self._received = 0
        self._filled = 0
        self._unnumbered = 0
        self._last = np.zeros(len(channels))
        self._held = Held(self._channels, typical)
        self._last_ns = 0
        self._last_capture_ns = 0
        self._tick = 0
        self._tick_ns = 0
        # Since the frame at or before the open tick: what its mean will be made of.
        self._rows: list[F64] = []
        self._rows_ns: list[int] = []
        self._folded: F64 | None = None  # the integral over what was before them
        self._open_start = (0, 0)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the model's order."""
        return self._channels

    @property
    def received(self) -> int:
        """The index that the next frame should have."""
        return self._received

    @property
    def filled(self) -> int:
        """Number of missing frames that have been filled."""
        return self._filled

    @property
    def frames(self) -> int:
        """Number of frames, filled ones included: also those that a hole in the capture times alone has told of."""
        return self._received + self._unnumbered

    @property
    def missing_values(self) -> int:
        """Number of values that were missing in frames that came."""
        return self._held.count

    @property
    def last_ns(self) -> int:
        """Time of the last frame."""
        return self._last_ns

    @property
    def period_ns(self) -> int:
        """The nominal time between two frames."""
        return round(self._period)

    @property
    def first_capture_ns(self) -> int | None:
        """Capture time of the first frame, if the client tells capture times."""
        return self._first_capture_ns

    def take(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> Iterator[Taken]:
        """Validates a chunk at once, then yields what it gives, piece by piece; take all of it before the next chunk.

        Args:
            first_frame: Index of the chunk's first frame.
            data: Little-endian float32, frames x channels.
            capture_times_ns: One for each frame, or none.

        Raises:
            InvalidFrame: The chunk is malformed; nothing of it has been taken.
            GapTooLong: It leaves out more than may be filled; nothing of it has been taken.
        """
        frames = self._parse(data)
        if first_frame < self._received:
            raise InvalidFrame(
                f"first_frame is {first_frame}, but frames up to {self._received - 1} have come already",
                field="first_frame",
            )
        if self._received == 0 and first_frame > 0:
            raise InvalidFrame(
                f"the first frame of a stream has index 0, not {first_frame}: there is nothing to fill from",
                field="first_frame",
            )
        lost = first_frame - self._received
        if lost:
            self._check_length(lost, round((lost + 1) * self._period), first_frame, "first_frame")
        times = self._times(first_frame, len(frames), capture_times_ns)
        gaps = self._gaps(first_frame, times)
        # Nothing above has changed this object; from here on nothing can fail.
        frames, outages = self._held.fill(first_frame, frames, times)
        self._timed = bool(capture_times_ns)
        if self._timed:
            if self._received == 0:
                self._first_capture_ns = int(capture_times_ns[0])
            self._last_capture_ns = int(capture_times_ns[-1])
        return self._emit(first_frame, frames, times, gaps, outages)

    def flush(self) -> ModelFrames | None:
        """Ends the stream. One that was too short for a single model frame gives its last frame as that."""
        if self._received == 0 or self._tick - self._averages > 0:
            return None
        last = self._received - 1
        return ModelFrames(self._last[None].astype(np.float32), [last], [self._last_ns], [0], [0])

    def _parse(self, data: bytes) -> F32:
        width = 4 * len(self._channels)
        if len(data) % width:
            raise InvalidFrame(
                f"data is {len(data)} bytes, not a multiple of {width} ({len(self._channels)} channels of float32)",
                field="data",
            )
        n = len(data) // width
        if n == 0:
            raise InvalidFrame("a chunk must hold at least one frame", field="data")
        if n > self._limits.max_chunk_frames:
            raise InvalidFrame(
                f"the chunk holds {n} frames, at most {self._limits.max_chunk_frames} are allowed", field="data"
            )
        frames: F32 = np.frombuffer(data, "<f4").reshape(n, -1)
        if self._order is not None:
            frames = frames[:, self._order]
        sane = np.abs(frames) <= LARGEST_VALUE
        if not sane.all():
            absurd = np.argwhere(~sane & ~np.isnan(frames))
            if len(absurd):
                row, column = (int(i) for i in absurd[0])
                raise InvalidFrame(
                    f"frame {row} of the chunk has {frames[row, column]:g} in channel {self._channels[column]!r}; "
                    f"numbers must lie within {LARGEST_VALUE:g}, and what is missing must be NaN",
                    field="data",
                )
        return frames

    def _times(self, first: int, n: int, capture: Sequence[int]) -> list[int]:
        """Times of the chunk's frames in nanoseconds since the stream's first frame."""
        if self._timed is not None and self._timed != bool(capture):
            before, now = ("with", "without") if self._timed else ("without", "with")
            raise InvalidFrame(
                f"the stream began {before} capture times and this chunk comes {now} them", field="capture_times_ns"
            )
        if not capture:
            return [round(frame * self._period) for frame in range(first, first + n)]
        if len(capture) != n:
            raise InvalidFrame(f"{len(capture)} capture times for {n} frames", field="capture_times_ns")
        if self._received and capture[0] <= self._last_capture_ns:
            raise InvalidFrame(
                f"the chunk's first capture time {capture[0]} is not after the last one, {self._last_capture_ns}",
                field="capture_times_ns",
            )
        for at, (before_ns, now_ns) in enumerate(itertools.pairwise(capture), start=1):
            if now_ns <= before_ns:
                raise InvalidFrame(
                    f"capture times must increase; frame {at} of the chunk has {now_ns} after {before_ns}",
                    field="capture_times_ns",
                )
        origin = capture[0] if self._first_capture_ns is None else self._first_capture_ns
        return [time_ns - origin for time_ns in capture]

    def _gaps(self, first: int, times: list[int]) -> dict[int, GapFound]:
        """Gaps before frames of the chunk, by the place of the frame after each."""
        gaps = {}
        lost = first - self._received
        longest_step = _HOLE_PERIODS * self._period
        last = self._last_ns if self._received else times[0]
        for at, now in enumerate(times):
            if now - last > longest_step or (lost and at == 0):
                counted = lost if at == 0 else 0
                missing = counted or max(1, round((now - last) / self._period) - 1)
                self._check_length(missing, now - last, first + at, "capture_times_ns")
                begins = last + (now - last) // (missing + 1)
                gaps[at] = GapFound(first + at - counted, begins, missing, now - last, first + at, now)
            last = now
        return gaps

    def _check_length(self, missing: int, duration_ns: int, frame: int, field: str) -> None:
        if duration_ns > self._max_gap_ns:
            raise GapTooLong(
                f"{missing} frames ({duration_ns / SECOND:.3f} s) are missing before frame {frame}; "
                f"at most {self._limits.max_gap_s:g} s are filled: open a new stream",
                field=field,
            )

    def _emit(
        self,
        first: int,
        frames: F32,
        times: list[int],
        gaps: dict[int, GapFound],
        outages: dict[int, list[ValuesMissing]],
    ) -> Iterator[Taken]:
        cuts = sorted({0, len(frames), *range(0, len(frames), self._slice), *gaps, *outages})
        for begin, end in itertools.pairwise(cuts):
            if gap := gaps.get(begin):
                self._filled += gap.missing
                if gap.frame == gap.decided:
                    self._unnumbered += gap.missing
                yield gap
            yield from outages.get(begin, ())
            made = self._resample(first + begin, frames[begin:end], times[begin:end])
            if made is not None:
                yield made
        yield ChunkEnd(first + len(frames))

    def _resample(self, first: int, frames: F32, times: list[int]) -> ModelFrames | None:
        """Advances over consecutive frames, the first of which may follow a gap.

        Frame by frame: at the few frames of a live chunk this costs a fraction of what arrays of ticks would, and the
        order of every sum is plain.
        """
        made = ModelFrames(_NO_FRAMES, [], [], [], [])
        rows: list[F64] = []
        last, last_ns = self._last, self._last_ns
        for number, (frame, now_ns) in enumerate(zip(frames.astype(np.float64), times, strict=True), first):
            span_ns = now_ns - last_ns
            step = number + 1 - self._received
            self._rows.append(frame)
            self._rows_ns.append(now_ns)
            while self._tick_ns <= now_ns:
                since_ns = self._tick_ns - last_ns
                if not self._averages:
                    weight = since_ns / span_ns if span_ns else 1.0
                    rows.append(last * (1.0 - weight) + frame * weight)
                elif self._tick:  # the first tick of a stream ends nothing
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
                self._tick_ns = round(self._tick * self._tick_period)
                del self._rows[:-2], self._rows_ns[:-2]
            if not self._averages:
                del self._rows[:-1], self._rows_ns[:-1]
            elif len(self._rows) >= _MOST_ROWS:
                self._folded = self._integral()
                del self._rows[:-1], self._rows_ns[:-1]
            last, last_ns = frame, now_ns
            self._received = number + 1
        self._last, self._last_ns = last.copy(), last_ns
        self._rows = [row.copy() for row in self._rows]  # not views that keep the chunk
        made.frames = np.array(rows, np.float32)
        return made if rows else None

    def _mean(self) -> F64:
        """Mean, from the tick before to this one, of the line through the frames."""
        mean: F64 = self._integral() / (self._tick_ns - round((self._tick - 1) * self._tick_period))
        self._folded = None
        return mean

    def _integral(self) -> F64:
        """Integral, from the tick before to this one or the last frame, of the line through the frames."""
        begin, end = round((self._tick - 1) * self._tick_period), self._tick_ns
        weights = [0.0] * len(self._rows)
        for i, (a, b) in enumerate(itertools.pairwise(self._rows_ns)):
            p, q = max(a, begin), min(b, end)
            if p < q:
                # The integral of a piece of a line is its length times its value in the middle.
                middle = (p + q - 2 * a) / (2 * (b - a))
                weights[i] += (q - p) * (1.0 - middle)
                weights[i + 1] += (q - p) * middle
        scaled = np.array(weights)[:, None] * np.array(self._rows)
        integral: F64 = np.add.reduce(scaled, axis=0)
        return integral if self._folded is None else self._folded + integral
