"""What a stream answers: typed, immutable events, and their flat form for JSON."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kineseg._errors import InvalidRequest, Unavailable
from kineseg._info import EndReason, Segment, Totals

# What is not known, such as the name of a segment or its place in the embedding space, is left out.
ABSENT_WHEN_EMPTY = frozenset(
    {"stream_id", "name", "name_confidence", "embedding", "channels", "joints", "rule", "model", "model_sha256"}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLY_ENDS = {EndReason.DRAINED: "it is shutting down", EndReason.CLOSED: "somebody closed the session"}
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


class AnomalyClass(enum.StrEnum):
    """What an anomaly is about."""

    FAULT = "fault"
    """The source: its values cannot be trusted. Within `StreamConfig.alarms_per_hour`."""
    BEHAVIOUR = "behaviour"
    """What is done: unusual for the stream. Within `StreamConfig.reports_per_hour`."""
    RULE = "rule"
    """A rule that was given for the stream."""
    UNKNOWN = "unknown"
    """A class that a newer server knows and this SDK does not."""


class AnomalyKind(enum.StrEnum):
    """What is wrong in an anomaly."""

    GAP = "gap"
    """No frames came for some time."""
    OCCLUDED = "occluded"
    """Joints or channels have no values."""
    STALLED = "stalled"
    """The source sends one frame again and again."""
    FROZEN = "frozen"
    """Joints or channels keep exactly their values while others go on."""
    LOOPED = "looped"
    """Frames come again that came before."""
    UNIT = "unit"
    """The values are in another unit, by a factor that units differ by."""
    SPIKE = "spike"
    """Values jumped away and back."""
    JITTER = "jitter"
    """Values shake."""
    DRIFT = "drift"
    """Values drift away slowly."""
    LEVEL = "level"
    """Values lie off their usual level."""
    GAIN = "gain"
    """Values are larger or smaller than usual."""
    SWAPPED = "swapped"
    """Joints of the left and the right are taken for each other."""
    SCALE = "scale"
    """The body has another size."""
    AXES = "axes"
    """The axes have changed."""
    TREMOR = "tremor"
    """Joints tremble, more and more."""
    LATE = "late"
    """Joints or channels come later than the others."""
    UNUSUAL = "unusual"
    """Rarer than the budget allows, and none of the other kinds."""
    RULE = "rule"
    """What a rule says: a segment has a name that is an alert, or none has had a name for too long."""
    NEW_ACTION = "new_action"
    """An action that was never seen before in the stream."""
    LONG_ACTION = "long_action"
    """An action goes on for longer than those of its label did."""
    SHORT_ACTION = "short_action"
    """An action was over sooner than those of its label were."""
    UNUSUAL_ORDER = "unusual_order"
    """Actions follow one another as they do not usually."""
    IRREGULAR_CYCLE = "irregular_cycle"
    """A repeated movement has another period or size than usual in its action, or is less regular."""
    ONE_SIDED_CYCLE = "one_sided_cycle"
    """One side moves more or less against the other than usual in its action."""
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
            values["emitted_at"] = _to_rfc3339(self.emitted_unix_ns)
        for entry in fields(self):
            value = getattr(self, entry.name)
            is_absent = entry.name in ABSENT_WHEN_EMPTY and entry.default is not MISSING and not value
            if value is not None and not is_absent and entry.name != "emitted_unix_ns":
                values[entry.name] = str(value) if isinstance(value, enum.Enum) else value
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentStarted(Event):
    """A segment begins at `frame`: provisional, to be confirmed or retracted later, or confirmed at once.

    Attributes:
        segment_id: Number of the segment in its session. Numbers rise and are never used twice; those of retracted
            segments are missing from the closed ones.
        label: Its action as far as it is known now; the closed segment's label is final.
        confidence: How probable it is, 0 to 1, that the start will be confirmed; 1 if and only if it is.
        confirmed: Whether the start is certain: then it never changes.
        name: Its action's name as far as it is known now; empty while that is unknown.
        name_confidence: How sure the name is, 0 to 1; 0 without a name.
        repeat_probability: How probable it is, 0 to 1, that the segment is the same action as one before it in the
            stream: as those of its label or, where its label is new, as the action most like it.
    """

    kind: ClassVar[EventKind] = EventKind.SEGMENT_STARTED

    segment_id: int
    label: int
    confidence: float = 1.0
    confirmed: bool = True
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
class SegmentUpdated(Event):
    """More is known of a segment: it was moved to `frame`, relabelled or confirmed.

    Once it was confirmed its start never changes; its label may until it is closed.

    Attributes:
        segment_id: Number of the segment in its session.
        label: Its action as far as it is known now.
        confidence: How probable it is, 0 to 1, that the start will be confirmed; 1 if and only if it is.
        confirmed: Whether the start is certain.
        name: Its action's name as far as it is known now; empty while that is unknown.
        name_confidence: How sure the name is, 0 to 1; 0 without a name.
        repeat_probability: How probable it is, 0 to 1, that the segment is the same action as one before it in the
            stream: as those of its label or, where its label is new, as the action most like it.
    """

    kind: ClassVar[EventKind] = EventKind.SEGMENT_UPDATED

    segment_id: int
    label: int
    confidence: float
    confirmed: bool
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyRaised(Event):
    """From `frame` on something is wrong with the source, or unusual in what is done, or a rule holds.

    Attributes:
        anomaly_id: Number of the anomaly in its stream: 1, 2, 3 ... It joins the events of one anomaly.
        anomaly_kind: What is wrong, as far as is known.
        severity: How rare that is, in a unit that all kinds share: as bad as this is expected once in so many hours.
        text: A sentence in plain English, such as "left wrist frozen for 2.1 s".
        channels: The channels concerned. Empty: the stream was opened with joints, or it is the whole source.
        joints: The joints concerned. Empty: the stream has none, or it is the whole source.
        rule: Id of the rule that says so, such as "name:fall"; empty unless the kind is ``"rule"``.
        anomaly_class: What it is about: the source, or what is done.
    """

    kind: ClassVar[EventKind] = EventKind.ANOMALY

    anomaly_id: int
    anomaly_kind: AnomalyKind
    severity: float
    text: str
    channels: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    rule: str = ""
    anomaly_class: AnomalyClass = AnomalyClass.FAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyUpdated(Event):
    """More is known of an anomaly that goes on: its kind, whom it concerns, since when, or that it is worse.

    `frame` is where it begins as far as is known now.

    Attributes:
        anomaly_id: Number of the anomaly in its stream: 1, 2, 3 ... It joins the events of one anomaly.
        anomaly_kind: What is wrong, as far as is known.
        severity: How rare that is, see `AnomalyRaised.severity`; the highest so far.
        text: A sentence in plain English, such as "left wrist frozen for 2.1 s".
        channels: The channels concerned. Empty: the stream was opened with joints, or it is the whole source.
        joints: The joints concerned. Empty: the stream has none, or it is the whole source.
        rule: Id of the rule that says so, such as "name:fall"; empty unless the kind is ``"rule"``.
        anomaly_class: What it is about: the source, or what is done.
    """

    kind: ClassVar[EventKind] = EventKind.ANOMALY_UPDATED

    anomaly_id: int
    anomaly_kind: AnomalyKind
    severity: float
    text: str
    channels: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    rule: str = ""
    anomaly_class: AnomalyClass = AnomalyClass.FAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyCleared(Event):
    """The anomaly that began at `frame` is over: nothing has been wrong for some time, or the stream has ended.

    Attributes:
        anomaly_id: Number of the anomaly in its stream: 1, 2, 3 ... It joins the events of one anomaly.
        anomaly_kind: What was wrong.
        severity: How rare that is, see `AnomalyRaised.severity`; the highest.
        text: A sentence in plain English, such as "left wrist frozen for 2.1 s".
        end_frame: The first frame after it.
        end_time_s: Time of `end_frame`, seconds since the stream's first frame.
        duration_s: How long it lasted, seconds.
        channels: The channels concerned. Empty: the stream was opened with joints, or it is the whole source.
        joints: The joints concerned. Empty: the stream has none, or it is the whole source.
        rule: Id of the rule that says so, such as "name:fall"; empty unless the kind is ``"rule"``.
        anomaly_class: What it is about: the source, or what is done.
    """

    kind: ClassVar[EventKind] = EventKind.ANOMALY_CLEARED

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Event):
    """The whole stream; the last event.

    Attributes:
        frames: Number of frames processed, filled ones included; those of a gap that was not filled do not count.
        duration_s: Duration in seconds.
        segments: Number of closed segments.
        labels: Number of different labels; merged ones count once.
        anomalies: Number of anomalies that were raised.
        filled_frames: Number of missing frames that were filled.
        reason: Why the stream ended.
        announced: Number of segments that were provisional before they were confirmed or retracted, emitted or not.
        retracted: Number of them that were retracted.
        missing_values: Number of values that were missing (NaN) in frames that came.
        model: Name of the model that ran the stream.
        model_sha256: SHA-256 of that model's graph, hexadecimal; empty with model ``"scratch"``.
    """

    kind: ClassVar[EventKind] = EventKind.SUMMARY

    frames: int
    duration_s: float
    segments: int
    labels: int
    anomalies: int
    filled_frames: int
    reason: EndReason
    announced: int = 0
    retracted: int = 0
    missing_values: int = 0
    model: str = ""
    model_sha256: str = ""

    def raise_for_early_end(self, processed: int, of: int) -> None:
        """Raise if only the first `processed` of so many frames of a recording came through.

        Raises:
            Unavailable: The server ended the stream before. Trying again may help unless somebody closed the session.
        """
        if processed < of:
            why = _EARLY_ENDS.get(self.reason, self.reason.value)
            raise Unavailable(
                f"the server ended the stream after {processed} of {of} frames: {why}",
                code="",
                retryable=self.reason is EndReason.DRAINED,
            )

    @property
    def totals(self) -> Totals:
        """The figures alone."""
        return Totals(**{entry.name: getattr(self, entry.name) for entry in fields(Totals)})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameResult:
    """What the model computed for one frame of its own rate.

    Attributes:
        frame: The last frame sent that went into it.
        time_s: Time of that frame in seconds since the stream's first frame.
        surprise: How badly it had been predicted: mean squared error over the normalised channels.
        anomaly_score: Robust standard deviations of the logarithm of surprise above the stream's median of late. A
            trace, on which no anomaly is raised; 0 while there is no history.
        embedding: ``(E,)`` float32, read-only: position in the model's embedding space.
        label: Label of the segment that is open now, as far as it is known now.
    """

    frame: int
    time_s: float
    surprise: float
    anomaly_score: float
    embedding: NDArray[np.float32]
    label: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedEvent:
    """One event of one session, as a watcher sees it.

    Attributes:
        session_id: Name of the session.
        event: The event.
        dropped: Number of events that this watcher lost before this one because it read too slowly.
    """

    session_id: str
    event: Event
    dropped: int


EVENT_TYPES: dict[EventKind, type[Event]] = {
    kind.kind: kind
    for kind in (
        SegmentStarted,
        SegmentUpdated,
        SegmentRetracted,
        SegmentClosed,
        LabelsMerged,
        AnomalyRaised,
        AnomalyUpdated,
        AnomalyCleared,
        Gap,
        MissingValues,
        Summary,
    )
}


def event_from_dict(values: Mapping[str, Any]) -> Event:
    """The event that `Event.to_dict` made `values` from.

    Keys that the event does not have are passed over, and those that have a default may be absent, so that files of
    other versions can be read.

    Raises:
        InvalidRequest: The kind is not known, or a key is missing; `field` names it.
    """
    try:
        kind = EVENT_TYPES[EventKind(str(values.get("kind")))]
    except (ValueError, KeyError):
        known = ", ".join(EVENT_TYPES)
        raise InvalidRequest(f"no event kind {values.get('kind')!r}; there are: {known}", field="kind") from None
    arguments = {entry.name: values[entry.name] for entry in fields(kind) if entry.name in values}
    missing = [entry.name for entry in fields(kind) if entry.name not in values and entry.default is MISSING]
    if missing:
        raise InvalidRequest(f"a {kind.kind} event needs {', '.join(missing)}", field=missing[0])
    if "emitted_at" in values:
        arguments["emitted_unix_ns"] = _from_rfc3339(values["emitted_at"])
    for names in ("channels", "joints"):
        if names in arguments:
            arguments[names] = tuple(arguments[names])
    if "embedding" in arguments:
        try:
            arguments["embedding"] = tuple(np.asarray(arguments["embedding"], dtype=np.float32).tolist())
        except (TypeError, ValueError) as error:
            raise InvalidRequest(f"embedding must be a list of numbers ({error})", field="embedding") from None
    choices: type[enum.StrEnum]
    for key, choices in (
        ("reason", EndReason),
        ("anomaly_kind", AnomalyKind),
    ):
        if key in arguments:
            try:
                arguments[key] = choices(arguments[key])
            except ValueError:
                known = ", ".join(choices)
                raise InvalidRequest(f"no {key} {arguments[key]!r}; there are: {known}", field=key) from None
    return kind(**arguments)


def _to_rfc3339(unix_ns: int) -> str:
    """A time in UTC with microseconds, which is what log tools read."""
    return (_EPOCH + timedelta(microseconds=unix_ns // 1000)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _from_rfc3339(text: object) -> int:
    """Nanoseconds since 1970."""
    try:
        at = datetime.fromisoformat(str(text))
        if at.tzinfo is None:
            raise ValueError("it has no time zone")
    except ValueError as error:
        raise InvalidRequest(f"emitted_at must be a time such as 2026-11-27T01:02:03.000004Z, got {text!r} ({error})",
                             field="emitted_at") from None  # fmt: skip
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
