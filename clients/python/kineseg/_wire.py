"""From protobuf messages to the SDK's own values, and back: the only module that knows both."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, MutableSequence
from dataclasses import fields
from functools import lru_cache
from reprlib import repr as short
from typing import Any, TypeVar

import numpy as np
from google.protobuf.message import Message

from kineseg._config import Decisions, StreamConfig
from kineseg._errors import Internal, InvalidRequest
from kineseg._events import EVENT_TYPES, AnomalyClass, AnomalyKind, Event, EventKind, FrameResult, WatchedEvent
from kineseg._info import EndReason, Health, Model, Opened, Segment, SessionDetail, SessionInfo, Totals
from kineseg._joints import joints_from_wire, joints_to_wire
from kineseg.v1 import segmentation_pb2 as pb

Value = TypeVar("Value")
Request = TypeVar("Request", bound=Message)

_DECISIONS: dict[Decisions, pb.Decisions.ValueType] = {
    "all": pb.DECISIONS_ALL,
    "final": pb.DECISIONS_FINAL,
    "provisional": pb.DECISIONS_PROVISIONAL,
}
# The SDK's choices for each of the protocol's, what stands for those that it does not know, and how they are prefixed.
_CHOICES: dict[str, tuple[type[enum.StrEnum], enum.StrEnum, str]] = {
    "EndReason": (EndReason, EndReason.UNSPECIFIED, "END_REASON_"),
    "AnomalyKind": (AnomalyKind, AnomalyKind.UNKNOWN, "ANOMALY_KIND_"),
    "AnomalyClass": (AnomalyClass, AnomalyClass.UNKNOWN, "ANOMALY_CLASS_"),
}
_ABOUT = {entry.name for entry in fields(Event)}
_HEALTH = {1: Health.SERVING, 2: Health.NOT_SERVING}


def checked_request(kind: type[Request], **values: Any) -> Request:
    """A request with what a caller gave.

    Raises:
        InvalidRequest: A value is not of its field's type; says which.
    """
    for field, value in values.items():
        try:
            kind(**{field: value})
        except (TypeError, ValueError, OverflowError):  # the latter two for half a character, and very large numbers
            raise InvalidRequest(f"{field} cannot be {short(value)}", field=field) from None
    return kind(**values)


def config_to_wire(config: StreamConfig) -> pb.StreamConfig:
    """The first message of a stream."""
    return pb.StreamConfig(
        session_id=config.session_id,
        model=config.model,
        channels=config.channels,
        frame_rate_hz=config.rate,
        latency_s=config.latency_s or 0.0,
        boundary_threshold=config.boundary_threshold or 0.0,
        alarms_per_hour=config.alarms_per_hour or 0.0,
        reports_per_hour=config.reports_per_hour or 0.0,
        frame_results=config.frame_results,
        decisions=_DECISIONS[config.decisions],
        joints=None if config.joints is None else joints_to_wire(config.joints),
        profile=profile_to_wire(config.profile),
        return_profile=config.return_profile,
        rules=str(config.rules),
        ack_interval_s=config.ack_interval_s,
        resumable=config.resume,
    )


def profile_to_wire(profile: Mapping[str, Any] | None) -> str:
    """A profile as JSON; empty: none.

    Raises:
        InvalidRequest: It is not made of plain values.
    """
    if profile is None:
        return ""
    try:
        return json.dumps(dict(profile), allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"profile must be plain values, as `profile` gave it ({error})", field="profile") from None


def profile_from_wire(text: str) -> dict[str, Any] | None:
    """A profile from JSON; None: there is none.

    Raises:
        Internal: The server has sent something else.
    """
    try:
        profile = json.loads(text) if text else None
    except (ValueError, RecursionError) as error:
        raise Internal(f"the server's profile is not JSON ({error})") from error
    if not (profile is None or isinstance(profile, dict)):
        raise Internal("the server's profile is not a JSON object")
    return profile


def kind_to_wire(kind: str) -> pb.EventKind.ValueType:
    """A kind of event for a filter.

    Raises:
        InvalidRequest: There is no such kind.
    """
    try:
        known = EventKind(kind)
    except (TypeError, ValueError):
        known = EventKind.UNKNOWN
    if known not in EVENT_TYPES:
        raise InvalidRequest(f"no event kind {short(kind)}; there are: {', '.join(EVENT_TYPES)}", field="kinds")
    return pb.EventKind.Value(f"EVENT_KIND_{known.name}")


def opened_from_wire(message: pb.Opened) -> Opened:
    """The server's answer to the configuration."""
    return _made(Opened, message, model=model_from_wire(message.model))


def model_from_wire(message: pb.Model) -> Model:
    """One model of the server."""
    channels, units = _shared(tuple(message.channels)), _shared(tuple(message.units))
    return _made(Model, message, rate=message.frame_rate_hz, channels=channels, units=units)


@lru_cache(maxsize=64)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same names: those of all streams of a model are one object."""
    return names


def models_from_wire(message: pb.ListModelsResponse) -> tuple[Model, ...]:
    """All models of the server."""
    return tuple(model_from_wire(model) for model in message.models)


def event_from_wire(message: pb.Event) -> Event:
    """One event; of a kind that this SDK does not know, its bare `Event`."""
    about = {name: value for name, value in _values(message).items() if name in _ABOUT}
    about["emitted_unix_ns"] = about["emitted_unix_ns"] or None
    detail = message.WhichOneof("detail")
    if detail is None:
        return Event(**about)
    return EVENT_TYPES[EventKind(detail)](**about, **_values(getattr(message, detail)))


def totals_from_wire(message: pb.Summary) -> Totals:
    """The figures of a whole stream."""
    return _made(Totals, message)


def frame_result_from_wire(message: pb.FrameResult) -> FrameResult:
    """What the model computed for one frame."""
    embedding = np.asarray(message.embedding, dtype=np.float32)
    embedding.setflags(write=False)
    return FrameResult(
        frame=message.frame,
        time_s=message.time_s,
        surprise=message.surprise,
        anomaly_score=message.anomaly_score,
        embedding=embedding,
        label=message.label,
    )


def watched_from_wire(message: pb.WatchEventsResponse) -> WatchedEvent:
    """One event of one session."""
    return WatchedEvent(
        session_id=message.session_id,
        event=event_from_wire(message.event),
        dropped=message.dropped,
        cursor=message.cursor,
        log_changed=message.log_changed,
    )


def segment_from_wire(message: pb.SegmentClosed) -> Segment:
    """One finished segment."""
    return _made(Segment, message)


def session_from_wire(message: pb.Session) -> SessionInfo:
    """One open session."""
    return _made(SessionInfo, message, rate=message.frame_rate_hz)


def sessions_from_wire(message: pb.ListSessionsResponse) -> tuple[SessionInfo, ...]:
    """All open sessions."""
    return tuple(session_from_wire(session) for session in message.sessions)


def session_detail_from_wire(message: pb.GetSessionResponse) -> SessionDetail:
    """One open session and its segments."""
    return SessionDetail(
        info=session_from_wire(message.session),
        segments=tuple(segment_from_wire(s) for s in message.segments),
        joints=joints_from_wire(message.joints) if message.HasField("joints") else None,
        profile=profile_from_wire(message.profile),
    )


def health_from_wire(status: int) -> Health:
    """The status of ``grpc.health.v1``."""
    return _HEALTH.get(status, Health.UNKNOWN)


def _made(kind: type[Value], message: Message, **renamed: Any) -> Value:
    """A value of the SDK from a message whose fields have the same names, but for those `renamed`."""
    values = _values(message) | renamed
    return kind(**{entry.name: values[entry.name] for entry in fields(kind)})  # type: ignore[arg-type]


def _values(message: Message) -> dict[str, Any]:
    """The fields of a message that are no messages themselves, as the SDK has them: tuples, choices, and None."""
    values: dict[str, Any] = {}
    for entry in message.DESCRIPTOR.fields:
        value = getattr(message, entry.name)
        if isinstance(value, MutableSequence):
            values[entry.name] = tuple(value)
        elif entry.enum_type is not None:
            number = entry.enum_type.values_by_number.get(value)
            values[entry.name] = _choice(entry.enum_type.name, "" if number is None else number.name)
        elif entry.message_type is None:
            is_absent = entry.has_presence and not message.HasField(entry.name)
            values[entry.name] = None if is_absent else value
    return values


def _choice(choices: str, name: str) -> enum.StrEnum:
    known, unknown, prefix = _CHOICES[choices]
    try:
        return known(name.removeprefix(prefix).lower())
    except ValueError:  # a choice that only a newer server knows
        return unknown
