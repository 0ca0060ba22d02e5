"""What a server says about itself: its models, its sessions and their segments."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kineseg.motion import Joints


class Health(enum.StrEnum):
    """Whether a server takes streams, by the standard health service."""

    UNKNOWN = "unknown"
    SERVING = "serving"
    NOT_SERVING = "not_serving"
    """It is starting or shutting down."""


class EndReason(enum.StrEnum):
    """Why a stream ended."""

    UNSPECIFIED = "unspecified"
    COMPLETED = "completed"
    """The client closed the stream."""
    CLOSED = "closed"
    """Somebody called `close_session`."""
    DRAINED = "drained"
    """The server is shutting down."""
    REJECTED = "rejected"
    """A later message was refused; the error that follows says why."""
    IDLE = "idle"
    """Nothing was sent for too long; the error that follows says for how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that the server can run.

    Attributes:
        name: Name, unique on the server.
        version: Version of the bundle.
        family: Family of the model, such as ``"seq2seq-gru"``.
        channels: C channel names of a frame, in the model's order; none if it takes any, see `takes_any_channels`.
        units: Unit of each channel, as far as they are known.
        rate: Frames per second at which the model steps; 0 where that depends on the stream.
        embedding_dim: Number of dimensions of the embedding, E; 0 where that depends on the stream.
        provider: Where it runs: ``"CUDAExecutionProvider"`` or ``"CPUExecutionProvider"``.
        is_default: Whether it is used when a stream names no model.
        sha256: SHA-256 of the bundle's graph, hexadecimal.
        classes: Names of the actions that it recognises; none unless it is a recogniser.
    """

    name: str
    version: str
    family: str
    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate: float
    embedding_dim: int
    provider: str
    is_default: bool
    sha256: str
    classes: tuple[str, ...] = ()

    @property
    def takes_any_channels(self) -> bool:
        """Whether a stream of this model has the channels that it names itself, as with the built-in ``"scratch"``."""
        return not self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An opened stream, as the server sees it.

    Attributes:
        stream_id: The stream's id, a UUID that rises with the time of opening; no other stream ever has it.
        session_id: Name of the session: the one that was asked for, or else the stream's id.
        opened_unix_ns: When it was opened, nanoseconds since 1970 on the server's clock.
        server_id: The server: a name from its settings, or else a UUID made at its start.
        server_version: Version of the server.
        model: The model that runs it.
        latency_s: Latency budget in force, seconds.
        max_chunk_frames: Largest number of frames in one message; `send` takes care of it.
        max_gap_s: Longest gap that is filled, seconds; a longer one cuts the stream, see `Gap.cuts`.
        boundary_threshold: How likely a boundary must be to become final, as in force; 0: the model has no threshold.
        alarms_per_hour: How many alarms an hour may be false, as in force.
        reports_per_hour: How many reports of behaviour an hour may be about nothing, as in force; 0: it is not watched.
        resume_token: What resumes the stream; empty: it cannot be resumed.
        resume_s: For so many seconds the server keeps the stream when its connection breaks.
    """

    stream_id: str
    session_id: str
    opened_unix_ns: int
    server_id: str
    server_version: str
    model: Model
    latency_s: float
    max_chunk_frames: int
    max_gap_s: float
    boundary_threshold: float = 0.0
    alarms_per_hour: float = 0.0
    reports_per_hour: float = 0.0
    resume_token: str = field(default="", repr=False)
    resume_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A finished segment.

    Attributes:
        segment_id: Number of the segment in its session; numbers rise, and not every one becomes a finished segment.
        label: Its action: equal labels are the same action.
        start_frame: First frame.
        end_frame: The frame after the last one.
        start_time_s: Time of the first frame, seconds since the stream's first frame.
        end_time_s: Time of `end_frame`, seconds since the stream's first frame.
        name: Name of its action, by what was taught or by the model's own classes; empty: unknown.
        name_confidence: How sure the name is, 0 to 1; 0 without a name.
        repeat_probability: How probable it is, 0 to 1, that the segment is the same action as one before it in the
            stream: as those of its label or, where its label is new, as the action most like it.
        embedding: E numbers, the segment as a point of the model's embedding space, see `Client.teach_name`; empty in
            what `Client.session` returns.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """An open session.

    Attributes:
        stream_id: Its stream's id, see `Opened.stream_id`.
        session_id: Name of the session: the one that was asked for, or else the stream's id.
        opened_unix_ns: When it was opened, nanoseconds since 1970 on the server's clock.
        model: Name of its model.
        rate: Frames per second at which its source captures.
        latency_s: Latency budget, seconds.
        frames_received: Frames accepted so far.
        frames_processed: Frames processed so far.
        segments_closed: Segments closed so far.
        last_seq: Number of the last event emitted so far.
        boundary_threshold: See `Opened.boundary_threshold`.
        alarms_per_hour: See `Opened.alarms_per_hour`.
        reports_per_hour: See `Opened.reports_per_hour`.
        warming_up: Classes of anomalies that are not looked for yet, such as ``"past"``: they need more of the stream.
        parked: Its connection has broken, and it waits for its client.
    """

    stream_id: str
    session_id: str
    opened_unix_ns: int
    model: str
    rate: float
    latency_s: float
    frames_received: int
    frames_processed: int
    segments_closed: int
    last_seq: int
    boundary_threshold: float = 0.0
    alarms_per_hour: float = 0.0
    reports_per_hour: float = 0.0
    warming_up: tuple[str, ...] = ()
    parked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDetail:
    """An open session and what it has found.

    Attributes:
        info: The session.
        segments: The segments closed so far: the latest 10000.
        joints: The joints that it was opened with; None if it was opened with channels.
        profile: What it has taught about its source so far, see `StreamConfig.profile`; None unless asked for.
    """

    info: SessionInfo
    segments: tuple[Segment, ...]
    joints: Joints | None = None
    profile: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """A whole stream in figures.

    Attributes:
        frames: Number of frames processed, filled ones included; those of a gap that was not filled do not count.
        duration_s: Duration in seconds.
        segments: Number of closed segments.
        labels: Number of different labels; merged ones count once.
        anomalies: Number of anomalies that were raised.
        filled_frames: Number of missing frames that were filled.
        reason: Why the stream ended.
        provisional: Number of segments that were provisional before they were confirmed or retracted, emitted or not.
        retracted: Number of them that were retracted.
        missing_values: Number of values that were missing (NaN) in frames that came.
    """

    frames: int
    duration_s: float
    segments: int
    labels: int
    anomalies: int
    filled_frames: int
    reason: EndReason
    provisional: int = 0
    retracted: int = 0
    missing_values: int = 0
