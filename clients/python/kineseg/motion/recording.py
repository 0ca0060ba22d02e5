"""A recording: the frames of one take of motion, and all that is known about them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from reprlib import repr as short
from typing import Literal, TypeGuard

import numpy as np
from numpy.typing import NDArray

from kineseg._masked import unmasked
from kineseg.motion.annotation import Annotation
from kineseg.motion.errors import RecordingError
from kineseg.motion.skeleton import Skeleton

Up = Literal["y", "z"]


@dataclass(frozen=True)
class Fault:
    """A fault that was put into a recording on purpose.

    Attributes:
        kind: ``gap``, ``frozen``, ``jitter`` or ``swapped``.
        start: First row affected (for a gap: the first row after it).
        stop: One past the last row affected (for a gap: equal to ``start``).
        missing: Number of frames that a gap took out.
        joints: The joints affected, empty for a gap.
    """

    kind: str
    start: int
    stop: int
    missing: int = 0
    joints: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Recording:
    """Motion over time, as its source gives it.

    Arrays are kept as read-only float64.

    Attributes:
        frames: ``(T, C)`` channel values, at least one frame; NaN where a value is missing.
        rate: Frames per second.
        channels: C channel names.
        skeleton: The joints that moved, if the source says.
        timestamps: ``(T,)`` seconds, strictly increasing, or None where frames simply follow at `rate`.
        positions: ``(T, J, 3)`` joint positions in the world, in the source's units, if known; NaN where a joint was
            not seen.
        name: For people: the file's stem, usually.
        synthetic: True if a program made this up.
        truth: Known segments, if somebody annotated them.
        joints: J names for `positions`; the skeleton's unless given.
        up: The vertical axis of `positions` (right-handed either way).
        faults: Faults put in on purpose.
        notes: Sentences about what a reader assumed or left out, for people.
        mapping: Canonical joint -> name in `joints`, where the names do not say it; see `canonical_pose`.

    Raises:
        RecordingError: Something is infinite or does not fit the rest, or there is no value at all; `field` says what.
    """

    frames: NDArray[np.float64]
    rate: float
    channels: tuple[str, ...]
    skeleton: Skeleton | None = None
    timestamps: NDArray[np.float64] | None = None
    positions: NDArray[np.float64] | None = None
    name: str = "recording"
    synthetic: bool = False
    truth: Annotation | None = None
    joints: tuple[str, ...] = ()
    up: Up = "y"
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for array in ("frames", "timestamps", "positions"):
            value = getattr(self, array)
            if value is not None or array == "frames":
                object.__setattr__(self, array, _read_only(value, array))
        object.__setattr__(self, "rate", check_rate(self.rate))
        channels: object = self.channels
        if isinstance(channels, str) or not isinstance(channels, Iterable):
            raise RecordingError(f"channels must be a sequence of names, got {channels!r}", field="channels")
        object.__setattr__(self, "channels", tuple(channels))
        if not self.joints and self.skeleton is not None:
            object.__setattr__(self, "joints", self.skeleton.names)
        object.__setattr__(self, "joints", tuple(self.joints))
        object.__setattr__(self, "notes", tuple(self.notes))
        object.__setattr__(self, "mapping", dict(self.mapping))
        self._check_frames()
        self._check_timestamps()
        self._check_positions()
        if self.up not in ("y", "z"):
            raise RecordingError(f"the up axis must be 'y' or 'z', got {self.up!r}", field="up")
        if self.truth is not None and self.truth.boundaries[-1] >= self.n_frames:
            raise RecordingError(
                f"the truth has a segment starting at frame {self.truth.boundaries[-1]}, "
                f"but there are only {self.n_frames} frames",
                field="truth",
            )

    def _check_frames(self) -> None:
        if self.frames.ndim != 2:
            raise RecordingError(f"frames must be (frames, channels), got shape {self.frames.shape}", field="frames")
        n_frames, n_channels = self.frames.shape
        if n_frames == 0 or n_channels == 0:
            raise RecordingError(f"no data: frames have shape {self.frames.shape}", field="frames")
        if n_channels != len(self.channels):
            raise RecordingError(f"{len(self.channels)} channel names for {n_channels} channels", field="channels")
        if len(set(self.channels)) != n_channels:
            repeated = sorted({c for c in self.channels if self.channels.count(c) > 1})
            raise RecordingError(f"channel names must be unique; repeated: {', '.join(repeated)}", field="channels")
        infinite = np.isinf(self.frames)
        if infinite.any():
            row, column = (int(i) for i in np.argwhere(infinite)[0])
            raise RecordingError(
                f"frame {row}, channel {self.channels[column]!r} is {self.frames[row, column]}; expected a number",
                field=self.channels[column],
            )
        if np.isnan(self.frames).all():
            raise RecordingError(f"no data: all {self.frames.size} values are missing (NaN)", field="frames")

    def _check_timestamps(self) -> None:
        if self.timestamps is None:
            return
        if self.timestamps.shape != (self.n_frames,):
            raise RecordingError(
                f"timestamps have shape {self.timestamps.shape}, expected ({self.n_frames},)", field="timestamps"
            )
        if not np.isfinite(self.timestamps).all():
            row = int(np.flatnonzero(~np.isfinite(self.timestamps))[0])
            raise RecordingError(f"the timestamp of frame {row} is not finite", field="timestamps")
        back = np.flatnonzero(np.diff(self.timestamps) <= 0)
        if back.size:
            raise RecordingError(
                f"timestamps must increase, but frame {int(back[0]) + 1} is not later than the one before it",
                field="timestamps",
            )

    def _check_positions(self) -> None:
        if self.positions is None:
            return
        expected = (self.n_frames, len(self.joints), 3)
        if self.positions.shape != expected:
            raise RecordingError(f"positions have shape {self.positions.shape}, expected {expected}", field="positions")
        infinite = np.isinf(self.positions)
        if infinite.any():
            row, joint, _ = (int(i) for i in np.argwhere(infinite)[0])
            raise RecordingError(
                f"frame {row}: the position of joint {self.joints[joint]!r} is not finite", field="positions"
            )

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return int(self.frames.shape[0])

    @property
    def n_channels(self) -> int:
        """Number of channels, C."""
        return int(self.frames.shape[1])

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to one frame period after the last."""
        if self.timestamps is None:
            return self.n_frames / self.rate
        return float(self.timestamps[-1] - self.timestamps[0]) + 1.0 / self.rate

    def times(self) -> NDArray[np.float64]:
        """``(T,)`` seconds of every frame: the timestamps, or ``frame / rate`` where there are none."""
        return np.arange(self.n_frames) / self.rate if self.timestamps is None else np.asarray(self.timestamps)

    def held(self) -> NDArray[np.float64]:
        """``(T, C)`` the frames without holes: what is missing is as it was last, or as it is first."""
        missing = np.isnan(self.frames)
        if not missing.any():
            return self.frames
        rows = np.arange(self.n_frames)[:, None]
        last = np.maximum.accumulate(np.where(missing, -1, rows), axis=0)
        first = np.where(missing.all(axis=0), 0, (~missing).argmax(axis=0))
        return np.nan_to_num(np.take_along_axis(self.frames, np.where(last < 0, first, last), axis=0))

    def slice(self, start: int = 0, stop: int | None = None) -> Recording:
        """The frames ``start <= frame < stop`` with all that belongs to them; indices as for a Python slice.

        Raises:
            RecordingError: Nothing would be left.
        """
        first, last, _ = slice(start, stop).indices(self.n_frames)
        if last <= first:
            raise RecordingError(f"no frames between {start} and {stop} of {self.n_frames}", field="frames")
        return replace(
            self,
            frames=self.frames[first:last],
            timestamps=None if self.timestamps is None else self.timestamps[first:last],
            positions=None if self.positions is None else self.positions[first:last],
            truth=None if self.truth is None else self.truth.slice(first, last),
            faults=tuple(
                replace(f, start=max(f.start - first, 0), stop=min(f.stop, last) - first)
                for f in self.faults
                if first < max(f.stop, f.start + 1) and f.start < last
            ),
        )


def check_rate(rate: object) -> float:
    """The rate as a float.

    Raises:
        RecordingError: Not a positive finite number of frames per second.
    """
    if not is_rate(rate):
        raise RecordingError(
            f"the frame rate must be a positive number of frames per second, got {short(rate)}", field="rate"
        )
    return float(rate)


def is_rate(rate: object) -> TypeGuard[float]:
    """Whether it is a positive finite number of frames per second."""
    return isinstance(rate, Real) and 0 < rate <= sys.float_info.max  # type: ignore[operator]


def _read_only(value: object, field: str) -> NDArray[np.float64]:
    try:
        given = np.asarray(unmasked(value))
        if given.dtype.kind == "c":
            raise TypeError("those are complex")
        array = np.ascontiguousarray(given, dtype=np.float64).view()
    except (TypeError, ValueError) as error:
        raise RecordingError(f"{field} must be numbers: {error}", field=field) from None
    array.setflags(write=False)
    return array
