"""What was agreed of a stream, how far it has come, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg.motion import Joints

from kineseg_core.decisions import Decisions
from kineseg_core.events import EndReason, Profile
from kineseg_core.generic import ScratchPlan
from kineseg_core.kept.declared import record


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What was agreed when the stream was opened.

    `plan` is there when the built-in model runs it, `joints` when it sends those of a body instead of channels.
    """

    stream_id: str
    session_id: str
    model: str
    frame_rate_hz: float
    latency_s: float
    boundary_threshold: float
    alarms_per_hour: float
    reports_per_hour: float
    frame_results: bool
    decisions: Decisions
    opened_unix_ns: int
    model_rate_hz: float = 0.0
    plan: ScratchPlan | None = None
    model_sha256: str = ""
    joints: Joints | None = None
    return_profile: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """The last thing that goes through a session, with what its intake knows of the whole stream.

    `profile` is there when it is to be given back.
    """

    reason: EndReason
    last_frame: int
    last_ns: int
    after_ns: int
    frames: int
    filled: int
    missing_values: int
    profile: Profile | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a session has come; `warming_up` is what of behaviour is not watched yet."""

    frames_processed: int
    segments_closed: int
    last_seq: int
    warming_up: tuple[str, ...] = ()


@record
@dataclass(frozen=True, slots=True)
class SegmentCounts:
    """How many segments were provisional first, were confirmed (at once or later) and retracted, emitted or not."""

    provisional: int = 0
    confirmed: int = 0
    retracted: int = 0
