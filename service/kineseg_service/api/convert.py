"""Between the service's own values and the messages of the protocol."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.anomalies import AnomalyClass, AnomalyKind
from kineseg_core.decisions import Decisions
from kineseg_core.errors import InvalidRequest, OutOfRange
from kineseg_core.events import (
    KIND_NAMES,
    Ack,
    EndReason,
    Event,
    FrameResult,
    Output,
    Profile,
    SegmentClosed,
    Summary,
)
from kineseg_core.generic import FAMILY, SCRATCH, VERSION
from kineseg_core.inference.decoder import Decoder
from kineseg_core.inference.providers import CPU
from kineseg_core.intake.intake import Intake
from kineseg_core.naming import NamedExamples
from kineseg_core.opening import StreamRequest
from kineseg_core.profile_json import profile_from_json
from kineseg_core.rules import rules_from_toml
from kineseg_core.session import Progress, SessionConfig

from kineseg_service.api.joints import joints_from

_KINDS: dict[int, str] = {pb.EventKind.Value(f"EVENT_KIND_{name.upper()}"): name for name in KIND_NAMES.values()}
_PREFIXES: dict[type[enum.Enum], str] = {
    EndReason: "END_REASON_",
    AnomalyKind: "ANOMALY_KIND_",
    AnomalyClass: "ANOMALY_CLASS_",
}
_DECISIONS: dict[int, Decisions] = {
    pb.DECISIONS_UNSPECIFIED: Decisions.ALL,
    pb.DECISIONS_ALL: Decisions.ALL,
    pb.DECISIONS_FINAL: Decisions.FINAL,
    pb.DECISIONS_PROVISIONAL: Decisions.PROVISIONAL,
}

_LONGEST_ACK_INTERVAL_S = 10.0


def decisions_from(wanted: int) -> Decisions:
    """Which decisions a stream's client wants.

    Raises:
        InvalidRequest: There is no such choice.
    """
    if wanted not in _DECISIONS:
        known = ", ".join(f"{number} ({choice.value})" for number, choice in _DECISIONS.items())
        raise InvalidRequest(f"decisions is {wanted}; there are {known}", field="decisions")
    return _DECISIONS[wanted]


def ack_interval_s(config: pb.StreamConfig) -> float:
    """For how long acknowledgements may be held back.

    Raises:
        OutOfRange: For no such time.
    """
    seconds = config.ack_interval_s
    if not 0 <= seconds <= _LONGEST_ACK_INTERVAL_S:
        raise OutOfRange(
            f"ack_interval_s is {seconds:g}, it must be 0 to {_LONGEST_ACK_INTERVAL_S:g} seconds",
            field="ack_interval_s",
            minimum=0.0,
            maximum=_LONGEST_ACK_INTERVAL_S,
        )
    return seconds


def stream_request(config: pb.StreamConfig) -> StreamRequest:
    """What a stream's client asks for.

    Raises:
        InvalidRequest: There is no such choice of decisions, the joints contradict themselves, or profile or rules are
            none.
    """
    return StreamRequest(
        rate_hz=config.frame_rate_hz,
        session_id=config.session_id,
        model=config.model,
        channels=tuple(config.channels),
        latency_s=config.latency_s,
        boundary_threshold=config.boundary_threshold,
        alarms_per_hour=config.alarms_per_hour,
        reports_per_hour=config.reports_per_hour,
        frame_results=config.frame_results,
        decisions=decisions_from(config.decisions),
        joints=joints_from(config.joints) if config.HasField("joints") else None,
        profile=profile_from_json(config.profile) if config.profile else None,
        return_profile=config.return_profile,
        rules=rules_from_toml(config.rules),
    )


def kinds_from(kinds: list[int]) -> list[str]:
    """The kinds of a filter, by name.

    Raises:
        InvalidRequest: One is unknown.
    """
    for kind in kinds:
        if kind not in _KINDS:
            raise InvalidRequest(f"{kind} is not a kind of event that can be watched", field="kinds")
    return [_KINDS[kind] for kind in kinds]


def response(output: Output, durable: int | None = None) -> pb.SegmentResponse:
    """What a stream's client gets; `durable`: so many of its frames are safe, none: as many as are acknowledged."""
    if isinstance(output, Ack):
        return pb.SegmentResponse(ack=pb.Ack(frames=output.frames, durable_frames=durable))
    if isinstance(output, Event):
        return pb.SegmentResponse(event=event_message(output))
    if isinstance(output, Profile):
        return pb.SegmentResponse(profile=pb.Profile(json=output.json))
    return pb.SegmentResponse(frame_result=frame_result_message(output))


def frame_result_message(result: FrameResult) -> pb.FrameResult:
    """What the model computed for a frame, as a message."""
    # One for every frame: spelt out it costs half.
    return pb.FrameResult(
        frame=result.frame,
        time_s=result.time_s,
        surprise=result.surprise,
        anomaly_score=result.anomaly_score,
        embedding=result.embedding,
        label=result.label,
    )


def event_message(event: Event) -> pb.Event:
    """An event as a message."""
    values = _values(event)
    detail = values.pop("detail")
    values[KIND_NAMES[type(detail)]] = _values(detail)
    return pb.Event(**values)


def event_bytes(event: Event) -> bytes:
    """An event as it is kept: its message, serialised."""
    return event_message(event).SerializeToString()


def segment_message(segment: SegmentClosed) -> pb.SegmentClosed:
    """A closed segment as a message, without its embedding: thousands of them must fit into one message."""
    return pb.SegmentClosed(**{**_values(segment), "embedding": ()})


def summary_message(summary: Summary) -> pb.Summary:
    """A summary as a message."""
    return pb.Summary(**_values(summary))


def _values(value: Any) -> dict[str, Any]:
    """The fields of one of the core's values as those of its message, which have the same names.

    What there is a choice of has the choice's name in the message, behind the name of the choice.
    """
    values = {entry.name: getattr(value, entry.name) for entry in fields(value)}
    for name, choice in values.items():
        if isinstance(choice, enum.Enum):
            values[name] = f"{_PREFIXES[type(choice)]}{choice.name}"
    return values


def model_message(decoder: Decoder, named: Sequence[str] = (), *, is_default: bool) -> pb.Model:
    """A model as a message; `named` are its channels where a stream has named them."""
    manifest = decoder.bundle.manifest
    return pb.Model(
        name=manifest.name,
        version=manifest.version,
        family=manifest.family,
        channels=named or [channel.name for channel in manifest.channels],
        units=[channel.unit for channel in manifest.channels],
        frame_rate_hz=manifest.frame_rate_hz,
        embedding_dim=manifest.embedding_dim,
        provider=decoder.provider,
        is_default=is_default,
        sha256=decoder.bundle.sha256,
        classes=manifest.classes,
    )


def taught_message(taught: NamedExamples, *, in_use: bool) -> pb.TaughtName:
    """A name as a message."""
    return pb.TaughtName(
        name=taught.name,
        model=taught.model,
        model_sha256=taught.sha256,
        sources=[example.source for example in taught.examples],
        in_use=in_use,
    )


def scratch_message(*, is_default: bool) -> pb.Model:
    """The built-in model as a message: its channels, and what follows from them, depend on the stream."""
    return pb.Model(name=SCRATCH, version=VERSION, family=FAMILY, provider=CPU, is_default=is_default)


def session_message(config: SessionConfig, intake: Intake, progress: Progress, *, parked: bool) -> pb.Session:
    """An open session as a message."""
    return pb.Session(
        stream_id=config.stream_id,
        session_id=config.session_id,
        opened_unix_ns=config.opened_unix_ns,
        model=config.model,
        frame_rate_hz=config.frame_rate_hz,
        latency_s=config.latency_s,
        boundary_threshold=config.boundary_threshold,
        alarms_per_hour=config.alarms_per_hour,
        reports_per_hour=config.reports_per_hour,
        frames_received=intake.received,
        frames_processed=progress.frames_processed,
        segments_closed=progress.segments_closed,
        last_seq=progress.last_seq,
        warming_up=(*intake.warming_up, *progress.warming_up),
        parked=parked,
    )
