"""Frames as a caller has them, cut into the chunks that travel."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg._arrays import real_numbers
from kineseg._errors import InvalidRequest
from kineseg._frame_rows import channel_rows, check_rotations, joint_rows
from kineseg._timestamps import nanoseconds_of
from kineseg.v1 import segmentation_pb2 as pb

if TYPE_CHECKING:
    from kineseg.motion import JointFrames, Joints

# Far below what a server takes at most (4 MiB), so that frames of thousands of channels pass too.
_MAX_CHUNK_BYTES = 1 << 20
# What a server takes at most; no unit that anything is measured in gives larger numbers.
_LARGEST_VALUE = 1e9
_FLOAT32 = np.dtype("<f4")
# Far below what an index on the wire can be, 2^63, so that no batch leads there.
_MOST_FRAMES = 1 << 62


@dataclass(slots=True, eq=False)
class Batch:
    """The frames of one `send`, checked; `taken` of them are in chunks already.

    Attributes:
        frames: ``(T, C)`` little-endian float32.
        times_ns: ``(T,)`` int64 capture times, or None.
        first_frame: Index of the first frame in the stream.
        taken: Number of frames that were taken.
    """

    frames: NDArray[np.float32]
    times_ns: NDArray[np.int64] | None
    first_frame: int
    taken: int = 0

    @property
    def remaining(self) -> int:
        """Number of frames not taken yet."""
        return len(self.frames) - self.taken


class Chunker:
    """Collects frames until a chunk is full; knows which frame and which time come next.

    Args:
        channels: Channel names of a frame, in the order sent.
        chunk_frames: Frames in a full chunk, at least 1.
        joints: The joints whose positions or rotations are sent, instead of channels.
    """

    def __init__(self, channels: tuple[str, ...], chunk_frames: int, joints: Joints | None = None) -> None:
        self._joints = joints
        self._joint_frames = None if joints is None else _frames_of(joints)
        self._channels = channels = channels if joints is None else joints.numbers
        frame_bytes = 4 * len(channels) + 10  # a capture time takes at most ten bytes
        self._chunk_frames = max(1, min(chunk_frames, _MAX_CHUNK_BYTES // frame_bytes))
        # Made when frames have to wait there: who sends whole chunks needs no room.
        self._frames: NDArray[np.float32] = np.empty((0, len(channels)), dtype="<f4")
        self._times_ns: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._filled = 0
        self._next_frame = 0
        self._timed: bool | None = None  # not known before the first frame
        self._last_time_ns = 0

    @property
    def frame_bytes(self) -> int:
        """Size of a frame as it is sent."""
        return _FLOAT32.itemsize * len(self._channels)

    @property
    def next_frame(self) -> int:
        """Index that the next frame has if none is missing."""
        return self._next_frame

    @property
    def position(self) -> tuple[int, bool | None, int]:
        """Between two chunks: the next frame's index, whether frames have times (None: not known), and the last one."""
        return self._next_frame, self._timed, self._last_time_ns

    def go_on_at(self, position: tuple[int, bool | None, int]) -> None:
        """Goes on where another one was, see `position`."""
        self._next_frame, self._timed, self._last_time_ns = position

    def check(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None,
        timestamps_ns: ArrayLike | None,
        first_frame: int | None,
    ) -> Batch:
        """What a caller wants to send, as a batch; changes nothing.

        Args:
            frames: ``(T, C)``, or ``(C,)`` for one frame; with joints ``(T, J, 3)``, or ``(J, 3)``; numbers up to 1e9,
                NaN where a value is missing.
            timestamps: ``(T,)`` or a scalar for one frame, increasing: seconds.
            timestamps_ns: The same in whole nanoseconds, instead.
            first_frame: Index of the first of these frames; None: it follows the last one.

        Raises:
            InvalidRequest: A value cannot be used; `field` says which.
            WrongChannels: The frames have another number of channels, or another shape than positions have.
        """
        checked = self._check_frames(frames)
        return Batch(
            frames=checked,
            times_ns=self._check_times(timestamps, timestamps_ns, len(checked)),
            first_frame=self._check_first(first_frame),
        )

    def take(self, batch: Batch) -> pb.FrameChunk | None:
        """Move frames from the batch into the current chunk; the chunk if that completes it.

        Call it until nothing of the batch remains.
        """
        start = batch.first_frame + batch.taken
        if start > self._next_frame and self._filled:
            return self.drain()  # a chunk holds consecutive frames only
        count = min(self._chunk_frames - self._filled, batch.remaining)
        rows = slice(batch.taken, batch.taken + count)
        frames, times_ns = batch.frames[rows], None if batch.times_ns is None else batch.times_ns[rows]
        self._timed = times_ns is not None
        if times_ns is not None:
            self._last_time_ns = int(times_ns[-1])
        self._next_frame = start + count
        batch.taken += count
        if count == self._chunk_frames:  # a full chunk by itself, as live sources send
            return _chunk(start, frames, times_ns)
        if not len(self._frames):
            self._frames = np.empty((self._chunk_frames, len(self._channels)), dtype="<f4")
            self._times_ns = np.empty(self._chunk_frames, dtype=np.int64)
        place = slice(self._filled, self._filled + count)
        self._frames[place] = frames
        if times_ns is not None:
            self._times_ns[place] = times_ns
        self._filled += count
        return self.drain() if self._filled == self._chunk_frames else None

    def drain(self) -> pb.FrameChunk | None:
        """What is buffered, as a chunk; None if nothing is."""
        if not self._filled:
            return None
        filled, self._filled = self._filled, 0
        times_ns = self._times_ns[:filled] if self._timed else None
        return _chunk(self._next_frame - filled, self._frames[:filled], times_ns)

    def _check_frames(self, frames: ArrayLike) -> NDArray[np.float32]:
        given = real_numbers(frames, "frames")
        joints = self._joints
        rows = channel_rows(given, len(self._channels)) if joints is None else joint_rows(given, joints)
        packed: NDArray[np.float32]
        if rows.dtype == _FLOAT32:
            packed = np.ascontiguousarray(rows)
        else:
            with np.errstate(over="ignore"):
                packed = np.ascontiguousarray(rows, dtype=_FLOAT32)
        # Nearly always all are sane, which is seen at once; where any is NaN, one looks again.
        all_sane = packed.size == 0 or np.abs(packed).max() <= _LARGEST_VALUE
        absurd = None if all_sane else ~(np.abs(packed) <= _LARGEST_VALUE) & ~np.isnan(packed)
        if absurd is not None and absurd.any():
            row, column = (int(i) for i in np.argwhere(absurd)[0])
            raise InvalidRequest(
                f"frame {row} of those sent: channel {self._channels[column]!r} is {rows[row, column]:g}; numbers must "
                f"lie within {_LARGEST_VALUE:g}; send NaN for a value that is missing, or leave the frame out "
                "(first_frame=... marks the gap)",
                field="frames",
            )
        if self._joint_frames is not None:
            check_rotations(packed, self._joint_frames)
        return packed

    def _check_times(
        self, seconds: ArrayLike | None, nanoseconds: ArrayLike | None, count: int
    ) -> NDArray[np.int64] | None:
        if seconds is not None and nanoseconds is not None:
            raise InvalidRequest("give timestamps= or timestamps_ns=, not both", field="timestamps_ns")
        given = seconds if nanoseconds is None else nanoseconds
        field = "timestamps" if nanoseconds is None else "timestamps_ns"
        if self._timed is not None and count and self._timed != (given is not None):
            said = "with" if self._timed else "without"
            raise InvalidRequest(
                f"this stream began {said} timestamps: give them with every frame or with none", field=field
            )
        if given is None:
            return None
        times_ns = nanoseconds_of(given, field)
        if times_ns.shape != (count,):
            raise InvalidRequest(f"{count} frames need as many {field}, got {times_ns.shape}", field=field)
        before = np.array([self._last_time_ns] if self._timed else [], dtype=np.int64)
        joined = np.concatenate([before, times_ns])
        back = np.flatnonzero(joined[1:] <= joined[:-1])
        if back.size:
            row = int(back[0]) + 1 - len(before)
            raise InvalidRequest(
                f"{field} must increase, but that of frame {row} of those sent is not later than the one before it",
                field=field,
            )
        return times_ns

    def _check_first(self, first_frame: int | None) -> int:
        if first_frame is None:
            return self._next_frame
        try:
            first_frame = operator.index(first_frame)
        except TypeError:
            raise InvalidRequest(
                f"first_frame must be a whole number, got {first_frame!r}", field="first_frame"
            ) from None
        if first_frame < self._next_frame:
            raise InvalidRequest(
                f"first_frame is {first_frame}, but frame {self._next_frame} comes next: frames cannot be sent again",
                field="first_frame",
            )
        if first_frame >= _MOST_FRAMES:
            raise InvalidRequest(f"first_frame is {first_frame}, which no stream can reach", field="first_frame")
        return first_frame


def _chunk(first_frame: int, frames: NDArray[np.float32], times_ns: NDArray[np.int64] | None) -> pb.FrameChunk:
    times = () if times_ns is None else times_ns.tolist()
    return pb.FrameChunk(first_frame=first_frame, data=frames.tobytes(), capture_times_ns=times)


def _frames_of(joints: Joints) -> JointFrames:
    from kineseg.motion import JointFrames

    return JointFrames(joints)
