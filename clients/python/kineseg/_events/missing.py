"""Events of frames and values that were missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kineseg._events.event import Event, EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(Event):
    """Frames were missing from `frame` on. Up to `Opened.max_gap_s` they were filled, and count as frames.

    Attributes:
        missing_frames: How many.
        duration_s: Time between the frames around the gap, seconds.
        cuts: The gap was too long to be filled: the segment before it has ended there, the model's state began afresh
            behind it, and another segment begins with the next frame. Labels and numbering go on.
    """

    kind: ClassVar[EventKind] = EventKind.GAP

    missing_frames: int
    duration_s: float
    cuts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValues(Event):
    """From `frame` on frames came without values (NaN) of some channels; their last values are held.

    Emitted when that has gone on for a quarter of a second, and once more when the values have returned.

    Attributes:
        channels: The channels.
        duration_s: For how long they have been missing, seconds.
        returned: Whether they have values again; then this was their whole absence.
    """

    kind: ClassVar[EventKind] = EventKind.MISSING_VALUES

    channels: tuple[str, ...]
    duration_s: float
    returned: bool
