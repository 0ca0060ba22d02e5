"""One stream's intake: chunks are validated, what is missing filled, and frames resampled to the model's rate.

Where joints are sent, the model's channels are made of them first; what is validated, and watched for anomalies, is
what was sent.

A value that is missing (NaN) is filled: the channel keeps its last value until another one comes, however long that is.
Frames that are missing are filled; where too many are, the stream is cut: what comes after is a new stretch.

Time is in integer nanoseconds since the stream's first frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kineseg_core.errors import InvalidFrame
from kineseg_core.intake.chunk import reorder, time_frames
from kineseg_core.intake.clock import SECOND, CaptureClock
from kineseg_core.intake.gaps import find_gaps
from kineseg_core.intake.missing import MissingValueFiller
from kineseg_core.intake.of_kind import OfKind, kind_of
from kineseg_core.intake.resampling import F32, I64, Resampler
from kineseg_core.intake.source_pose import SourcePose
from kineseg_core.intake.taken import ChunkEnd, GapFound, Taken
from kineseg_core.intake.valid import Chunk, check_index, read_frames
from kineseg_core.intake.watch import Found, SentFrames, SourceWatch
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps

# A gap of so many periods is filled however slow the source: at 1 frame a second, one lost frame is 2 s.
_FILLED_PERIODS = 2.5
# A chunk goes through in pieces of so many frames and values at most: memory stays bounded, and others get their turn.
_PIECE_FRAMES, _PIECE_VALUES = 512, 1 << 12
# About how many of the model's frames a piece makes at most: a slow source makes many of each of its own.
_PIECE_MADE = 256


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """A chunk may have `max_chunk_frames` frames; gaps of at most `max_gap_s` seconds are filled, none if that is 0."""

    max_chunk_frames: int = 4096
    max_gap_s: float = 1.0


@within(
    "0 <= _received", "0 <= _filled <= _received", "0 <= _unnumbered", "0 <= _skipped",
    "_watch._places._frame < _received", "_watch._places._ns == _resampler.last_ns",
)  # fmt: skip
@keeps(
    "_pose _watch _clock _timed _resampler _filler _received _filled _unnumbered _skipped",
    fixed="_channels _frame_bytes _order _order_key _period _piece _most_plain _limits _max_gap_ns",
    passing="_of_kind _here",
)
class Intake:
    """Takes a stream's chunks. Picklable.

    Args:
        channels: C, numbers in a frame.
        order: For each of the model's channels, its place in the client's frame, or in what `pose` makes; none when it
            is the same.
        rate_hz: Frames a second at which the client captures.
        model_rate_hz: Frames a second at which the model steps.
        limits: What a chunk may be.
        typical: For each of the model's channels, the value it is given as long as none has come; none: 0.
        pose: Makes channels of what the client sends; none: it sends channels.
        watch: Looks for anomalies in the channels, or with `pose` in the positions of joints; none: nothing does.
    """

    __slots__ = (
        "_channels", "_clock", "_filled", "_filler", "_frame_bytes", "_here", "_limits", "_max_gap_ns", "_most_plain",
        "_of_kind", "_order", "_order_key", "_period", "_piece", "_pose", "_received", "_resampler", "_skipped",
        "_timed", "_unnumbered", "_watch",
    )  # fmt: skip

    def __init__(
        self,
        channels: Sequence[str],
        order: Sequence[int] | None,
        rate_hz: float,
        model_rate_hz: float,
        limits: IntakeLimits,
        typical: Sequence[float] | None = None,
        pose: SourcePose | None = None,
        watch: SourceWatch | None = None,
    ) -> None:
        self._channels = tuple(channels)
        self._pose = pose
        self._watch = watch
        width = len(channels) if pose is None else len(pose.numbers)
        self._frame_bytes = 4 * width
        self._order = None if order is None else np.array(order, np.int16)
        self._order_key = None if order is None else tuple(order)
        self._period = SECOND / rate_hz
        widest = max(len(channels), width)
        self._piece = max(1, min(_PIECE_FRAMES, _PIECE_VALUES // widest, int(_PIECE_MADE * rate_hz / model_rate_hz)))
        self._limits = limits
        self._most_plain = min(self._piece, limits.max_chunk_frames) if pose is None else 0
        self._max_gap_ns = round(max(limits.max_gap_s * SECOND, _FILLED_PERIODS * self._period))
        if not limits.max_gap_s:
            self._max_gap_ns = 0
        self._clock = CaptureClock(rate_hz)
        self._timed = False  # whether the stream has capture times
        before = np.zeros(len(self._channels), np.float32) if typical is None else np.array(typical, np.float32)
        self._resampler = Resampler(rate_hz, model_rate_hz, before)
        self._filler = MissingValueFiller(self._channels)
        self._received = 0
        self._filled = 0
        self._unnumbered = 0
        self._skipped = 0
        self._of_kind: OfKind | None = None  # not known yet
        self._here = 0  # frames that have been taken in this process

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        held = {name: getattr(self, name) for name in self.__slots__}
        return None, held | {"_of_kind": None}  # it is another one elsewhere

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the model's order."""
        return self._channels

    @property
    def order(self) -> NDArray[np.int16]:
        """``(C,)`` for each of the model's channels, its place in a frame, or in what is made of one."""
        return np.arange(len(self._channels), dtype=np.int16) if self._order is None else self._order

    @property
    def resampler(self) -> Resampler:
        """What makes the model's frames."""
        return self._resampler

    @property
    def of_kind(self) -> OfKind:
        """What it has in common with others, and by which these kernels find its own."""
        if self._of_kind is None:
            resampler, watch = self._resampler, self._watch
            kind = kind_of(resampler.kind, self._order_key, None if watch is None else watch.kind)
            watched = None if watch is None else watch.watched
            self._of_kind = OfKind(kind, resampler.distance, resampler.made_per_frame, watched)
        return self._of_kind

    @property
    def watch(self) -> SourceWatch | None:
        """What looks for anomalies."""
        return self._watch

    @property
    def frame_bytes(self) -> int:
        """The size of a frame as it is sent."""
        return self._frame_bytes

    @property
    def max_gap_s(self) -> float:
        """The longest gap that is filled, seconds."""
        return self._max_gap_ns / SECOND

    @property
    def filled_gap_s(self) -> float:
        """What of that was asked for; a slow source has longer ones filled."""
        return float(self._limits.max_gap_s)

    @property
    def received(self) -> int:
        """The index that the next frame should have."""
        self._count()
        return self._received

    @property
    def taken_here(self) -> int:
        """Number of frames that have come since it was made or restored, without those that are missing."""
        self._count()
        return self._here

    @property
    def filled(self) -> int:
        """Number of missing frames that have been filled."""
        return self._filled

    @property
    def frames(self) -> int:
        """Number of frames, filled ones included: also those that a hole in the capture times alone has shown."""
        return self.received + self._unnumbered - self._skipped

    @property
    def warming_up(self) -> tuple[str, ...]:
        """Classes of anomalies that are not looked for yet."""
        return () if self._watch is None else self._watch.warming_up

    def profile(self) -> dict[str, Any]:
        """What the stream has taught about its source so far; empty where nothing watches."""
        return {} if self._watch is None else self._watch.profile()

    @property
    def missing_values(self) -> int:
        """Number of values that were missing in frames that came."""
        return self._filler.count

    @property
    def last_ns(self) -> int:
        """Time of the last frame."""
        return self._resampler.last_ns

    @property
    def period_ns(self) -> int:
        """The nominal time between two frames."""
        return round(self._period)

    @property
    def first_capture_ns(self) -> int | None:
        """Capture time of the first frame, if the client gives capture times."""
        return self._clock.first_ns if self._timed else None

    def take(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> Iterator[Taken]:
        """Validates a chunk at once, then yields what it gives, piece by piece; take all of it before the next chunk.

        Args:
            first_frame: Index of the chunk's first frame.
            data: Little-endian float32, frames x channels, or frames x the numbers of `pose`.
            capture_times_ns: One for each frame, or none.

        Raises:
            InvalidFrame: The chunk is malformed, or its times contradict the rate; nothing of it has been taken.
        """
        return self.finish(self.begin(first_frame, data, capture_times_ns))

    @property
    def most_plain(self) -> int:
        """So many frames a chunk may have, without capture times, to be taken by `take_plain`; 0: none is."""
        return 0 if self._timed or self._filler.is_open else self._most_plain

    def is_plain(self, data: bytes, capture_times_ns: Sequence[int]) -> bool:
        """Whether a chunk may be taken by `take_plain`: it is of channels, whole, small, and without capture times."""
        frames, rest = divmod(len(data), self._frame_bytes)
        return not (rest or capture_times_ns) and 0 < frames <= self.most_plain

    def catch_up(self) -> None:
        """Takes what has only been counted, so that what is kept of it is whole."""
        self._count()
        if self._watch is not None:
            self._watch.catch_up()

    def _count(self) -> None:
        """Takes how far it has come: chunks that go through with those of others do not say so."""
        received = self._resampler.received
        if received > self._received:
            self._here += received - self._received
            self._received = received
            if self._watch is not None:
                self._watch.follow(received)

    def begin(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> Chunk:
        """Validates a chunk, see `take`; it is to be given to `finish` before the next one."""
        received, most = self.received, self._limits.max_chunk_frames
        width = self._frame_bytes // 4
        frames, times, has_holes = read_frames(data, width, self._numbers, most, received, self._period)
        n = len(frames)
        is_small = n <= self._piece
        sent: NDArray[Any] = frames
        if self._pose is not None:
            if is_small:
                sent = self._pose.positions(frames)
            else:
                self._pose.check(frames)
        is_next = is_steady = first_frame == received
        if not is_next:
            check_index(first_frame, n, received, self._period)
            time_frames(first_frame, self._period, times)
        if capture_times_ns or self._timed:
            is_steady = self._read_times(first_frame - received, capture_times_ns, times)
        # Nothing above has changed this object where it fails; from here on nothing can fail.
        gaps: dict[int, GapFound] = {}
        if not is_steady:
            before_ns = self.last_ns if received else int(times[0])
            gaps = find_gaps(first_frame, times, first_frame - received, before_ns, self._period, self._max_gap_ns)
        return Chunk(first_frame, frames, times, has_holes, gaps, None if gaps or not is_small else sent)

    def finish(self, chunk: Chunk) -> Iterator[Taken]:
        """What a chunk gives that has been begun; one that has not been watched by now is."""
        if chunk.sent is None:
            return self._emit(chunk.first, chunk.frames, chunk.times, chunk.gaps, has_holes=chunk.has_holes)
        anomalies = chunk.anomalies
        if anomalies is None:
            anomalies = self._watched(chunk.first, chunk.sent, chunk.times)
        elif isinstance(anomalies, Exception):
            raise anomalies
        taken: list[Taken] = []
        self._advance(chunk.first, chunk.sent, chunk.times, anomalies, taken, has_holes=chunk.has_holes)
        taken.append(ChunkEnd(chunk.first + len(chunk.times)))
        return iter(taken)

    def check_end(self) -> None:
        """The client has sent all there is.

        Raises:
            InvalidFrame: The capture times of the whole, short stream contradict its rate.
        """
        self._clock.check_end()

    def flush(self) -> list[Taken]:
        """Ends the stream. One that was too short for a single model frame gives its last frame as that."""
        out: list[Taken] = []
        self._count()
        self._resampler.end_stretch(out)
        if self._watch is not None:
            out += self._watch.finish((self._received, self.last_ns + self.period_ns))
        return out

    def _numbers(self) -> tuple[str, ...]:
        """What the numbers of a frame are called, in the order in which they are sent."""
        if self._pose is not None:
            return self._pose.numbers
        if self._order is None:
            return self._channels
        return tuple(name for _, name in sorted(zip(self._order.tolist(), self._channels, strict=True)))

    def _read_times(self, lost: int, capture: Sequence[int], times: I64) -> bool:
        """Puts capture times in place of the chunk's times; whether nothing is missing between them."""
        if self._received and not (self._timed and capture):
            before, now = ("with", "without") if self._timed else ("without", "with")
            raise InvalidFrame(
                f"the stream began {before} capture times and this chunk comes {now} them",
                field="capture_times_ns", reason="CAPTURE_TIMES_INVALID",
            )  # fmt: skip
        if len(capture) != len(times):
            raise InvalidFrame(
                f"{len(capture)} capture times for {len(times)} frames",
                field="capture_times_ns", reason="CAPTURE_TIMES_INVALID",
            )  # fmt: skip
        is_steady = self._clock.read(lost, capture, times)
        self._timed = True
        return is_steady

    def _emit(
        self, first: int, frames: F32, times: I64, gaps: dict[int, GapFound], *, has_holes: bool
    ) -> Iterator[Taken]:
        cuts = sorted({0, len(frames), *range(0, len(frames), self._piece), *gaps})
        for begin, end in itertools.pairwise(cuts):
            if gap := gaps.get(begin):
                yield from self._pass(gap)
            sent: NDArray[Any] = frames[begin:end] if self._pose is None else self._pose.positions(frames[begin:end])
            taken: list[Taken] = []
            anomalies = self._watched(first + begin, sent, times[begin:end])
            self._advance(first + begin, sent, times[begin:end], anomalies, taken, has_holes=has_holes)
            yield from taken
        yield ChunkEnd(first + len(frames))

    def _watched(self, first: int, sent: NDArray[Any], times: I64) -> Found:
        return {} if self._watch is None else self._watch.push(SentFrames(first, sent, times))

    def _advance(
        self, first: int, sent: NDArray[Any], times: I64, anomalies: Found, out: list[Taken], *, has_holes: bool
    ) -> None:
        """Consecutive frames: missing values are filled, and what there is to report of them comes before the frame."""
        if self._pose is None:
            frames = sent
        else:
            frames, has_holes = self._pose.push(sent, times, has_holes=has_holes)
        if self._order is not None:
            frames = self._in_order(frames)
        self._received = first + len(frames)
        self._here += len(frames)
        if not (has_holes or anomalies or self._filler.is_open):
            self._resampler.push(first, frames, times, out)
            return
        frames, outages = self._filler.fill(first, frames, times, self._resampler.last)
        for begin, end in itertools.pairwise(sorted({0, len(frames), *outages, *anomalies})):
            out += outages.get(begin, ())
            out += anomalies.get(begin, ())
            self._resampler.push(first + begin, frames[begin:end], times[begin:end], out)

    def _in_order(self, frames: F32) -> F32:
        """The model's channels ``(n, C)`` in its order."""
        ordered = np.empty((len(frames), len(self._channels)), np.float32)
        reorder(frames, self._order, ordered)
        return ordered

    def _pass(self, gap: GapFound) -> Iterator[Taken]:
        is_numbered = gap.frame != gap.decided
        if gap.cuts:
            self._skipped += gap.missing if is_numbered else 0
            rest: list[Taken] = []
            self._resampler.end_stretch(rest)
            yield from rest
        else:
            self._filled += gap.missing
            self._unnumbered += 0 if is_numbered else gap.missing
        yield gap
