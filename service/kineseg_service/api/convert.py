"""Between the service's own values and the messages of the protocol."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import InvalidRequest
from kineseg_core.events import (
    Ack,
    Anomaly,
    Detail,
    EndReason,
    Event,
    Gap,
    LabelsMerged,
    MissingValues,
    Output,
    SegmentClosed,
    SegmentRetracted,
    SegmentStarted,
    SegmentUpdated,
    Summary,
)
from kineseg_core.generic import FAMILY, SCRATCH, VERSION
from kineseg_core.inference.decoder import Decoder
from kineseg_core.inference.providers import CPU
from kineseg_core.naming import NamedExamples
from kineseg_core.opening import StreamRequest
from kineseg_core.session import Progress, SessionConfig
from kineseg_core.telling import Decisions

from kineseg_service.api.joints import joints_from

_KINDS: dict[int, type[Detail]] = {
    pb.EVENT_KIND_SEGMENT_STARTED: SegmentStarted,
    pb.EVENT_KIND_SEGMENT_UPDATED: SegmentUpdated,
    pb.EVENT_KIND_SEGMENT_RETRACTED: SegmentRetracted,
    pb.EVENT_KIND_SEGMENT_CLOSED: SegmentClosed,
    pb.EVENT_KIND_LABELS_MERGED: LabelsMerged,
    pb.EVENT_KIND_ANOMALY: Anomaly,
    pb.EVENT_KIND_GAP: Gap,
    pb.EVENT_KIND_MISSING_VALUES: MissingValues,
    pb.EVENT_KIND_SUMMARY: Summary,
}
_REASONS = {
    EndReason.COMPLETED: pb.END_REASON_COMPLETED,
    EndReason.CLOSED: pb.END_REASON_CLOSED,
    EndReason.DRAINED: pb.END_REASON_DRAINED,
    EndReason.REJECTED: pb.END_REASON_REJECTED,
}
_DECISIONS: dict[int, Decisions] = {
    pb.DECISIONS_UNSPECIFIED: Decisions.ALL,
    pb.DECISIONS_ALL: Decisions.ALL,
    pb.DECISIONS_FINAL: Decisions.FINAL,
    pb.DECISIONS_PROVISIONAL: Decisions.PROVISIONAL,
}


def decisions_from(wanted: int) -> Decisions:
    """Which decisions a stream's client wants to be told.

    Raises:
        InvalidRequest: There is no such choice.
    """
    if wanted not in _DECISIONS:
        known = ", ".join(f"{number} ({choice.value})" for number, choice in _DECISIONS.items())
        raise InvalidRequest(f"decisions is {wanted}; there are {known}", field="decisions")
    return _DECISIONS[wanted]


def stream_request(config: pb.StreamConfig) -> StreamRequest:
    """What a stream's client asks for.

    Raises:
        InvalidRequest: There is no such choice of decisions, or the joints contradict themselves.
    """
    return StreamRequest(
        rate_hz=config.frame_rate_hz,
        session_id=config.session_id,
        model=config.model,
        channels=tuple(config.channels),
        latency_s=config.latency_s,
        frame_results=config.frame_results,
        decisions=decisions_from(config.decisions),
        joints=joints_from(config.joints) if config.HasField("joints") else None,
    )


def kinds_from(kinds: list[int]) -> list[type[Detail]]:
    """The kinds of a filter.

    Raises:
        InvalidRequest: One is unknown.
    """
    for kind in kinds:
        if kind not in _KINDS:
            raise InvalidRequest(f"{kind} is not a kind of event that can be watched", field="kinds")
    return [_KINDS[kind] for kind in kinds]


def response(output: Output) -> pb.SegmentResponse:
    """What a stream's client gets."""
    if isinstance(output, Ack):
        return pb.SegmentResponse(ack=pb.Ack(frames=output.frames))
    if isinstance(output, Event):
        return pb.SegmentResponse(event=event_message(output))
    return pb.SegmentResponse(
        frame_result=pb.FrameResult(
            frame=output.frame,
            time_s=output.time_s,
            surprise=output.surprise,
            anomaly_score=output.anomaly_score,
            embedding=output.embedding,
            label=output.label,
        )
    )


def event_message(event: Event) -> pb.Event:
    """An event as a message."""
    message = pb.Event(
        seq=event.seq,
        frame=event.frame,
        time_s=event.time_s,
        capture_time_ns=event.capture_time_ns,
        decided_frame=event.decided_frame,
        decided_time_s=event.decided_time_s,
    )
    detail = event.detail
    if isinstance(detail, SegmentStarted):
        message.segment_started.CopyFrom(
            pb.SegmentStarted(
                segment_id=detail.segment_id,
                label=detail.label,
                confidence=detail.confidence,
                confirmed=detail.confirmed,
                name=detail.name,
                name_confidence=detail.name_confidence,
            )
        )
    elif isinstance(detail, SegmentUpdated):
        message.segment_updated.CopyFrom(
            pb.SegmentUpdated(
                segment_id=detail.segment_id,
                label=detail.label,
                confidence=detail.confidence,
                confirmed=detail.confirmed,
                name=detail.name,
                name_confidence=detail.name_confidence,
            )
        )
    elif isinstance(detail, SegmentRetracted):
        message.segment_retracted.CopyFrom(pb.SegmentRetracted(segment_id=detail.segment_id))
    elif isinstance(detail, SegmentClosed):
        message.segment_closed.CopyFrom(segment_message(detail))
        message.segment_closed.embedding.extend(detail.embedding)
    elif isinstance(detail, LabelsMerged):
        message.labels_merged.CopyFrom(pb.LabelsMerged(label=detail.label, into=detail.into))
    elif isinstance(detail, Anomaly):
        message.anomaly.CopyFrom(pb.Anomaly(score=detail.score, threshold=detail.threshold))
    elif isinstance(detail, Gap):
        message.gap.CopyFrom(
            pb.Gap(missing_frames=detail.missing_frames, duration_s=detail.duration_s, cuts=detail.cuts)
        )
    elif isinstance(detail, MissingValues):
        message.missing_values.CopyFrom(
            pb.MissingValues(channels=detail.channels, duration_s=detail.duration_s, returned=detail.returned)
        )
    else:
        message.summary.CopyFrom(summary_message(detail))
    return message


def segment_message(segment: SegmentClosed) -> pb.SegmentClosed:
    """A closed segment as a message, without its embedding: thousands of them must fit into one message."""
    return pb.SegmentClosed(
        segment_id=segment.segment_id,
        label=segment.label,
        start_frame=segment.start_frame,
        end_frame=segment.end_frame,
        start_time_s=segment.start_time_s,
        end_time_s=segment.end_time_s,
        name=segment.name,
        name_confidence=segment.name_confidence,
    )


def summary_message(summary: Summary) -> pb.Summary:
    """A summary as a message."""
    return pb.Summary(
        frames=summary.frames,
        duration_s=summary.duration_s,
        segments=summary.segments,
        labels=summary.labels,
        anomalies=summary.anomalies,
        filled_frames=summary.filled_frames,
        reason=_REASONS[summary.reason],
        announced=summary.announced,
        retracted=summary.retracted,
        missing_values=summary.missing_values,
        model=summary.model,
        model_sha256=summary.model_sha256,
    )


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
    """The built-in model as a message: what channels it has, and what follows from them, a stream will tell."""
    return pb.Model(name=SCRATCH, version=VERSION, family=FAMILY, provider=CPU, is_default=is_default)


def session_message(config: SessionConfig, received: int, progress: Progress) -> pb.Session:
    """An open session as a message."""
    return pb.Session(
        session_id=config.session_id,
        model=config.model,
        frame_rate_hz=config.frame_rate_hz,
        latency_s=config.latency_s,
        frames_received=received,
        frames_processed=progress.frames_processed,
        segments_closed=progress.segments_closed,
        last_seq=progress.last_seq,
        opened_unix_ns=config.opened_unix_ns,
    )
