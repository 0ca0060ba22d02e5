"""From protobuf messages to the SDK's own values, and back: the only module that knows both."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from kineseg._config import Decisions, StreamConfig
from kineseg._errors import InvalidRequest
from kineseg._events import EVENT_TYPES, Event, EventKind, FrameResult, MissingValues, Summary, WatchedEvent
from kineseg._info import EndReason, Health, Model, Opened, Segment, SessionDetail, SessionInfo, Totals
from kineseg._joints import joints_from_wire, joints_to_wire
from kineseg.v1 import segmentation_pb2 as pb

_DECISIONS: dict[Decisions, pb.Decisions.ValueType] = {
    "all": pb.DECISIONS_ALL,
    "final": pb.DECISIONS_FINAL,
    "provisional": pb.DECISIONS_PROVISIONAL,
}
_HEALTH = {1: Health.SERVING, 2: Health.NOT_SERVING}


def config_to_wire(config: StreamConfig) -> pb.StreamConfig:
    """The first message of a stream."""
    return pb.StreamConfig(
        session_id=config.session_id,
        model=config.model,
        channels=config.channels,
        frame_rate_hz=config.rate,
        latency_s=config.latency_s or 0.0,
        frame_results=config.frame_results,
        decisions=_DECISIONS[config.decisions],
        joints=None if config.joints is None else joints_to_wire(config.joints),
    )


def kind_to_wire(kind: str) -> pb.EventKind.ValueType:
    """A kind of event for a filter.

    Raises:
        InvalidRequest: There is no such kind.
    """
    try:
        known = EventKind(kind)
    except ValueError:
        known = EventKind.UNKNOWN
    if known not in EVENT_TYPES:
        raise InvalidRequest(f"no event kind {kind!r}; there are: {', '.join(EVENT_TYPES)}", field="kinds")
    return pb.EventKind.Value(f"EVENT_KIND_{known.name}")


def opened_from_wire(message: pb.Opened) -> Opened:
    """The server's answer to the configuration."""
    return Opened(
        session_id=message.session_id,
        model=model_from_wire(message.model),
        latency_s=message.latency_s,
        max_chunk_frames=message.max_chunk_frames,
        max_gap_s=message.max_gap_s,
    )


def model_from_wire(message: pb.Model) -> Model:
    """One model of the server."""
    return Model(
        name=message.name,
        version=message.version,
        family=message.family,
        channels=tuple(message.channels),
        units=tuple(message.units),
        rate=message.frame_rate_hz,
        embedding_dim=message.embedding_dim,
        provider=message.provider,
        is_default=message.is_default,
        sha256=message.sha256,
        classes=tuple(message.classes),
    )


def models_from_wire(message: pb.ListModelsResponse) -> tuple[Model, ...]:
    """All models of the server."""
    return tuple(model_from_wire(model) for model in message.models)


def event_from_wire(message: pb.Event) -> Event:
    """One event; of a kind that this SDK does not know, its bare `Event`."""
    about: dict[str, Any] = {
        "seq": message.seq,
        "frame": message.frame,
        "time_s": message.time_s,
        "decided_frame": message.decided_frame,
        "decided_time_s": message.decided_time_s,
        "capture_time_ns": message.capture_time_ns if message.HasField("capture_time_ns") else None,
    }
    detail = message.WhichOneof("detail")
    if detail is None:
        return Event(**about)
    if detail == "summary":
        totals = asdict(totals_from_wire(message.summary))
        return Summary(**about, **totals, model=message.summary.model, model_sha256=message.summary.model_sha256)
    if detail == "missing_values":
        missing = message.missing_values
        return MissingValues(
            **about, channels=tuple(missing.channels), duration_s=missing.duration_s, returned=missing.returned
        )
    # The fields of the other details have the names of the events' attributes.
    content = getattr(message, detail)
    details = {field.name: getattr(content, field.name) for field in content.DESCRIPTOR.fields}
    if "embedding" in details:
        details["embedding"] = tuple(details["embedding"])
    return EVENT_TYPES[EventKind(detail)](**about, **details)


def totals_from_wire(message: pb.Summary) -> Totals:
    """The figures of a whole stream."""
    try:
        reason = EndReason(pb.EndReason.Name(message.reason).removeprefix("END_REASON_").lower())
    except ValueError:  # a reason that only a newer server knows
        reason = EndReason.UNSPECIFIED
    return Totals(
        frames=message.frames,
        duration_s=message.duration_s,
        segments=message.segments,
        labels=message.labels,
        anomalies=message.anomalies,
        filled_frames=message.filled_frames,
        reason=reason,
        announced=message.announced,
        retracted=message.retracted,
        missing_values=message.missing_values,
    )


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
    return WatchedEvent(session_id=message.session_id, event=event_from_wire(message.event), dropped=message.dropped)


def segment_from_wire(message: pb.SegmentClosed) -> Segment:
    """One finished segment."""
    return Segment(
        segment_id=message.segment_id,
        label=message.label,
        start_frame=message.start_frame,
        end_frame=message.end_frame,
        start_time_s=message.start_time_s,
        end_time_s=message.end_time_s,
        name=message.name,
        name_confidence=message.name_confidence,
        embedding=tuple(message.embedding),
    )


def session_from_wire(message: pb.Session) -> SessionInfo:
    """One open session."""
    return SessionInfo(
        session_id=message.session_id,
        model=message.model,
        rate=message.frame_rate_hz,
        latency_s=message.latency_s,
        frames_received=message.frames_received,
        frames_processed=message.frames_processed,
        segments_closed=message.segments_closed,
        last_seq=message.last_seq,
        opened_unix_ns=message.opened_unix_ns,
    )


def sessions_from_wire(message: pb.ListSessionsResponse) -> tuple[SessionInfo, ...]:
    """All open sessions."""
    return tuple(session_from_wire(session) for session in message.sessions)


def session_detail_from_wire(message: pb.GetSessionResponse) -> SessionDetail:
    """One open session and its segments."""
    return SessionDetail(
        info=session_from_wire(message.session),
        segments=tuple(segment_from_wire(s) for s in message.segments),
        joints=joints_from_wire(message.joints) if message.HasField("joints") else None,
    )


def health_from_wire(status: int) -> Health:
    """The status of ``grpc.health.v1``."""
    return _HEALTH.get(status, Health.UNKNOWN)
