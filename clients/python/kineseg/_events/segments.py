"""Events of segments and their labels."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar

from kineseg._events.event import Event, EventKind, Json
from kineseg._info import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSegmentEvent(Event):
    """What events say of a segment that goes on.

    Attributes:
        segment_id: Number of the segment in its session. Numbers rise and are never used twice; those of retracted
            segments are missing from the closed ones.
        label: Its action as far as it is known now; the closed segment's label is final.
        name: Its action's name as far as it is known now; empty while that is unknown.
        name_confidence: How sure the name is, 0 to 1; 0 without a name.
        repeat_probability: How probable it is, 0 to 1, that the segment is the same action as one before it in the
            stream: as those of its label or, where its label is new, as the action most like it.
    """

    segment_id: int
    label: int
    name: str = ""
    name_confidence: float = 0.0
    repeat_probability: float = 0.0

    @property
    def start_frame(self) -> int:
        """First frame of the segment, the same as `frame`."""
        return self.frame

    def to_dict(self) -> Json:
        """The event as a flat dictionary for JSON."""
        return {**Event.to_dict(self), "start_frame": self.start_frame}


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentStarted(OpenSegmentEvent):
    """A segment begins at `frame`: provisional, to be confirmed or retracted later, or confirmed at once.

    Attributes:
        confidence: How probable it is, 0 to 1, that the start will be confirmed; 1 if and only if it is.
        confirmed: Whether the start is certain: then it never changes.
    """

    kind: ClassVar[EventKind] = EventKind.SEGMENT_STARTED

    confidence: float = 1.0
    confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentUpdated(OpenSegmentEvent):
    """More is known of a segment: it was moved to `frame`, relabelled or confirmed.

    Once it was confirmed its start never changes; its label may until it is closed.

    Attributes:
        confidence: How probable it is, 0 to 1, that the start will be confirmed; 1 if and only if it is.
        confirmed: Whether the start is certain.
    """

    kind: ClassVar[EventKind] = EventKind.SEGMENT_UPDATED

    confidence: float
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRetracted(Event):
    """A provisional segment is retracted, and the one before it goes on. `frame` is where it last began.

    Attributes:
        segment_id: Number of the segment in its session; it is not used again.
    """

    kind: ClassVar[EventKind] = EventKind.SEGMENT_RETRACTED

    segment_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentClosed(Event):
    """A segment has ended; it never changes afterwards. `frame` is its first frame.

    Attributes:
        segment_id: Number of the segment in its session.
        label: Its action: equal labels are the same action. A number is never given to two actions.
        start_frame: First frame.
        end_frame: The frame after the last one.
        start_time_s: Time of the first frame, seconds since the stream's first frame.
        end_time_s: Time of `end_frame`, seconds since the stream's first frame.
        name: Name of its action, by what was taught or by the model's own classes; empty: unknown.
        name_confidence: How sure the name is, 0 to 1; 0 without a name.
        repeat_probability: How probable it is, 0 to 1, that the segment is the same action as one before it in the
            stream: as those of its label or, where its label is new, as the action most like it.
        embedding: E numbers of single precision, the segment as a point of the model's embedding space; it can be
            taught as an example of a name, see `Client.teach_name`. Empty with model ``"scratch"``.
    """

    kind: ClassVar[EventKind] = EventKind.SEGMENT_CLOSED

    segment_id: int
    label: int
    start_frame: int
    end_frame: int
    start_time_s: float
    end_time_s: float
    name: str = ""
    name_confidence: float = 0.0
    repeat_probability: float = 0.0
    embedding: tuple[float, ...] = field(default=(), repr=False)

    @property
    def segment(self) -> Segment:
        """The segment alone."""
        return Segment(**{entry.name: getattr(self, entry.name) for entry in fields(Segment)})

    def to_dict(self) -> Json:
        """The event as a flat dictionary for JSON."""
        values = Event.to_dict(self)
        if self.embedding:
            # As many digits as single precision has.
            values["embedding"] = [float(f"{value:.9g}") for value in self.embedding]
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsMerged(Event):
    """Two labels turned out to be one action: from now on `into` is used for both. Closed segments stay as they are.

    Attributes:
        label: The label that is not used any more.
        into: The label that is used for both.
    """

    kind: ClassVar[EventKind] = EventKind.LABELS_MERGED

    label: int
    into: int
