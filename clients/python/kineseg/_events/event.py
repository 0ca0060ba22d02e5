"""What all events have: what they are about, when they were decided and emitted; and their flat form for JSON."""

from __future__ import annotations

import enum
from dataclasses import MISSING, dataclass, fields
from typing import ClassVar

from kineseg._events.emission_time import to_rfc3339

# What is not known, such as the name of a segment or its place in the embedding space, is left out.
ABSENT_WHEN_EMPTY = frozenset(
    {"stream_id", "name", "name_confidence", "embedding", "channels", "joints", "rule", "model", "model_sha256"}
)
Json = dict[str, int | float | str | tuple[str, ...] | list[float]]


class EventKind(enum.StrEnum):
    """Kinds of events, as in `Event.kind`."""

    SEGMENT_STARTED = "segment_started"
    SEGMENT_UPDATED = "segment_updated"
    SEGMENT_RETRACTED = "segment_retracted"
    SEGMENT_CLOSED = "segment_closed"
    LABELS_MERGED = "labels_merged"
    ANOMALY = "anomaly"
    ANOMALY_UPDATED = "anomaly_updated"
    ANOMALY_CLEARED = "anomaly_cleared"
    GAP = "gap"
    MISSING_VALUES = "missing_values"
    SUMMARY = "summary"
    UNKNOWN = "unknown"
    """A kind that a newer server knows and this SDK does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a stream: what it is about, when it was decided, and when it was emitted.

    All but `stream_id` and `emitted_unix_ns` follows from the frames alone: the same frames give the same events.

    Attributes:
        stream_id: The stream that it happened in, see `Opened.stream_id`; empty in files of early versions.
        seq: Number of the event among those emitted in its stream: 1, 2, 3 ...
        emitted_unix_ns: When it was emitted, nanoseconds since 1970, in whole microseconds, on the clock of the server
            (of this machine with `Segmenter`); None in files of early versions.
        frame: The frame that it is about, 0-based, in the numbering of what was sent.
        time_s: Time of that frame in seconds since the stream's first frame.
        decided_frame: The frame whose processing decided it.
        decided_time_s: Time of the deciding frame in seconds since the stream's first frame.
        capture_time_ns: Capture time of `frame` in nanoseconds; None if no timestamps are sent.
    """

    kind: ClassVar[EventKind] = EventKind.UNKNOWN

    stream_id: str = ""
    seq: int
    emitted_unix_ns: int | None = None
    frame: int
    time_s: float
    decided_frame: int
    decided_time_s: float
    capture_time_ns: int | None = None

    @property
    def id(self) -> str:
        """``stream_id:seq``, which no other event ever has; empty if the stream is not known."""
        return f"{self.stream_id}:{self.seq}" if self.stream_id else ""

    def to_dict(self) -> Json:
        """The event as a flat dictionary for JSON; what does not apply is absent. `event_schema` describes it."""
        values: Json = {"id": self.id, "stream_id": self.stream_id} if self.stream_id else {}
        values |= {"seq": self.seq, "kind": str(self.kind)}
        if self.emitted_unix_ns is not None:
            values["emitted_at"] = to_rfc3339(self.emitted_unix_ns)
        for entry in fields(self):
            value = getattr(self, entry.name)
            is_absent = entry.name in ABSENT_WHEN_EMPTY and entry.default is not MISSING and not value
            if value is not None and not is_absent and entry.name != "emitted_unix_ns":
                values[entry.name] = str(value) if isinstance(value, enum.Enum) else value
        return values
