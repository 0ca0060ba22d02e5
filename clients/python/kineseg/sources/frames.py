"""What a source gives: frames in order and on one clock, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kineseg.motion import Joints

Clock = Literal["sender", "arrival"]
"""Whose clock the capture times are of."""


@dataclass(frozen=True, eq=False)
class Layout:
    """What the numbers of a frame are. Frames of the same layout share the object.

    Attributes:
        joints: The joints whose positions are given; None: channels are.
        channels: Names of the channels, where there are no joints.
        rate: Frames a second that the sender claims, if it does.
        up_known: Whether `joints.up` is said by the sender or its protocol; otherwise it is found from how the body
            stands.
        notes: What had to be assumed, for people.
    """

    joints: Joints | None = None
    channels: tuple[str, ...] = ()
    rate: float | None = None
    up_known: bool = True
    notes: tuple[str, ...] = ()

    def same_numbers(self, other: Layout) -> bool:
        """Whether frames of both can follow one another in a stream."""
        return self.joints == other.joints and self.channels == other.channels


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One frame of one performer as a decoder found it, numbered and timed as its sender did.

    Attributes:
        layout: What the numbers are.
        values: ``(J, 3)`` positions or ``(C,)`` channels, float32; NaN where something is missing.
        performer: Whose, where a sender has several.
        number: The sender's number of the frame.
        time_ns: When it was captured, by the sender's clock.
    """

    layout: Layout
    values: NDArray[np.float32]
    performer: str = ""
    number: int | None = None
    time_ns: int | None = None


@dataclass(frozen=True, eq=False)
class SourceInfo:
    """What is known about the frames of one performer. A new object means a new stream: nothing of it fits the old one.

    Attributes:
        performer: Whose frames they are; empty where a sender has one only.
        part: 0 for the first stream of this performer, and one more whenever the sender changed what it sends.
        joints: The joints whose positions are given, with the vertical axis and the unit; None: channels are.
        channels: Names of the channels, where there are no joints.
        rate: Frames a second of the stream.
        claimed_rate: What the sender says, if it does.
        measured_rate: What arrived.
        clock: Whose clock the capture times are of.
        notes: What had to be assumed, and what looks wrong, for people.
    """

    performer: str
    part: int
    joints: Joints | None
    channels: tuple[str, ...]
    rate: float
    claimed_rate: float | None
    measured_rate: float
    clock: Clock
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Frames of one performer, in order.

    Attributes:
        first_frame: Index of the first of them; a jump from the frames before: those between were lost.
        values: ``(T, J, 3)`` positions or ``(T, C)`` channels, float32; NaN where something is missing.
        capture_times_ns: ``(T,)`` int64, increasing, also from one `Frames` to the next; where it begins means nothing.
        received_ns: When the last of them arrived, by `time.monotonic_ns`.
        info: What is known about them.
    """

    first_frame: int
    values: NDArray[np.float32]
    capture_times_ns: NDArray[np.int64]
    received_ns: int
    info: SourceInfo

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return len(self.values)
