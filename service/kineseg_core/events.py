"""What a stream gives, free of any transport: events, acknowledgements, results of single frames, and its profile.

Frames are in the client's numbering; times are seconds since the stream's first frame.
"""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass, field

from kineseg_core.anomalies.kinds import AnomalyClass, AnomalyKind
from kineseg_core.kept.declared import record


@record
class EndReason(enum.Enum):
    """Why a stream ended."""

    COMPLETED = "completed"
    CLOSED = "closed"
    DRAINED = "drained"
    REJECTED = "rejected"
    IDLE = "idle"


@record
@dataclass(frozen=True, slots=True)
class SegmentStarted:
    """A segment begins; `confidence` is how probable it is that its start will be confirmed, 1 if it is.

    `name` is empty where it is unknown; `name_confidence` is then 0. `repeat_probability` is how probable it is that
    the segment is the same action as those before of its label or, where that is new, as the action most like it.
    """

    segment_id: int
    label: int
    confidence: float
    confirmed: bool
    name: str = ""
    name_confidence: float = 0.0
    repeat_probability: float = 0.0


@record
@dataclass(frozen=True, slots=True)
class SegmentUpdated:
    """A segment was moved, relabelled or confirmed; once confirmed, its start never changes."""

    segment_id: int
    label: int
    confidence: float
    confirmed: bool
    name: str = ""
    name_confidence: float = 0.0
    repeat_probability: float = 0.0


@record
@dataclass(frozen=True, slots=True)
class SegmentRetracted:
    """A provisional segment is retracted; the one before it goes on."""

    segment_id: int


@record
@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """A segment over [start_frame, end_frame) is finished; `embedding` is its point, or empty."""

    segment_id: int
    label: int
    start_frame: int
    end_frame: int
    start_time_s: float
    end_time_s: float
    name: str = ""
    name_confidence: float = 0.0
    repeat_probability: float = 0.0
    embedding: array[float] = field(default_factory=lambda: array("f"), repr=False)


@record
@dataclass(frozen=True, slots=True)
class LabelsMerged:
    """From now on `into` is used where `label` was."""

    label: int
    into: int


@record
@dataclass(frozen=True, slots=True)
class AnomalyRaised:
    """Something is wrong with the source, or unusual in what is done; as bad as this comes once in `severity` hours.

    `channels` or `joints` are those concerned; both empty: the whole source. `text` is a sentence about it. `rule` is
    the id of the rule that says so; empty unless the kind is RULE.
    """

    anomaly_id: int
    anomaly_kind: AnomalyKind
    severity: float
    text: str
    channels: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    rule: str = ""
    anomaly_class: AnomalyClass = AnomalyClass.FAULT


@record
@dataclass(frozen=True, slots=True)
class AnomalyUpdated:
    """More is known of an anomaly: its kind, whom it concerns, since when it holds, or that it is worse."""

    anomaly_id: int
    anomaly_kind: AnomalyKind
    severity: float
    text: str
    channels: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    rule: str = ""
    anomaly_class: AnomalyClass = AnomalyClass.FAULT


@record
@dataclass(frozen=True, slots=True)
class AnomalyCleared:
    """An anomaly is over, which went on until before `end_frame`."""

    anomaly_id: int
    anomaly_kind: AnomalyKind
    severity: float
    text: str
    end_frame: int
    end_time_s: float
    duration_s: float
    channels: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    rule: str = ""
    anomaly_class: AnomalyClass = AnomalyClass.FAULT


@record
@dataclass(frozen=True, slots=True)
class Gap:
    """Frames were missing. They have been filled, unless the gap `cuts` the stream: it was too long for that."""

    missing_frames: int
    duration_s: float
    cuts: bool


@record
@dataclass(frozen=True, slots=True)
class MissingValues:
    """Channels have had no values for some time, and keep their last ones until they have `returned`."""

    channels: tuple[str, ...]
    duration_s: float
    returned: bool


@record
@dataclass(frozen=True, slots=True)
class Summary:
    """The stream has ended; `labels` that were merged count once. `model_sha256` is empty for the built-in model."""

    frames: int
    duration_s: float
    segments: int
    labels: int
    anomalies: int
    filled_frames: int
    reason: EndReason
    provisional: int
    retracted: int
    missing_values: int
    model: str = ""
    model_sha256: str = ""


Detail = (
    SegmentStarted
    | SegmentUpdated
    | SegmentRetracted
    | SegmentClosed
    | LabelsMerged
    | AnomalyRaised
    | AnomalyUpdated
    | AnomalyCleared
    | Gap
    | MissingValues
    | Summary
)
KIND_NAMES: dict[type[Detail], str] = {
    SegmentStarted: "segment_started",
    SegmentUpdated: "segment_updated",
    SegmentRetracted: "segment_retracted",
    SegmentClosed: "segment_closed",
    LabelsMerged: "labels_merged",
    AnomalyRaised: "anomaly",
    AnomalyUpdated: "anomaly_updated",
    AnomalyCleared: "anomaly_cleared",
    Gap: "gap",
    MissingValues: "missing_values",
    Summary: "summary",
}
"""The kinds of events, by the names that they have wherever they are emitted, counted or written."""


@record
@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a stream: what it is about, when it was decided, and when it was emitted.

    All but `stream_id` and `emitted_unix_ns`, which is in whole microseconds, follows from the frames alone.
    """

    stream_id: str
    seq: int
    emitted_unix_ns: int
    frame: int
    time_s: float
    capture_time_ns: int | None
    decided_frame: int
    decided_time_s: float
    detail: Detail


@record
@dataclass(frozen=True, slots=True)
class Ack:
    """All frames before this index have been processed, and all events that they decided have been emitted."""

    frames: int


@record
@dataclass(frozen=True, slots=True)
class FrameResult:
    """What the model computed for one of its frames; `embedding` has E numbers."""

    frame: int
    time_s: float
    surprise: float
    anomaly_score: float
    embedding: list[float]
    label: int


@record
@dataclass(frozen=True, slots=True)
class Profile:
    """What the stream has taught about its source, as JSON."""

    json: str


Output = Event | Ack | FrameResult | Profile
