"""What is asked of a stream that is to be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kineseg.motion import Joints

from kineseg_core.decisions import Decisions
from kineseg_core.kept.declared import record
from kineseg_core.rules import Rule

record(Joints)
record(Decisions)


@record
@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What is asked for of a stream.

    Attributes:
        rate_hz: Frames a second.
        session_id: Name of the session; empty: the stream's id.
        model: Name of the model; empty: the default.
        channels: Names of the channels, in the order in which they come; empty: the model's, in its order.
        latency_s: Latency budget, seconds; 0: the default.
        boundary_threshold: How likely a boundary must be to become final, 0.01 to 0.99; 0: the default.
        alarms_per_hour: How many alarms an hour may be false, 0.01 to 1000; 0: the default.
        reports_per_hour: How many reports of behaviour an hour may be about nothing, 0.01 to 1000; 0: the default.
        frame_results: Every frame's result is wanted, too.
        decisions: Which decisions about segments are wanted.
        joints: The joints of a body whose positions or rotations come, instead of channels.
        profile: What an earlier stream of the same source has taught; none: it is learnt from the beginning.
        return_profile: What the stream has taught is wanted at its end.
        rules: What names, and absences of names, are alerts.
    """

    rate_hz: float
    session_id: str = ""
    model: str = ""
    channels: tuple[str, ...] = ()
    latency_s: float = 0.0
    boundary_threshold: float = 0.0
    alarms_per_hour: float = 0.0
    reports_per_hour: float = 0.0
    frame_results: bool = False
    decisions: Decisions = Decisions.ALL
    joints: Joints | None = None
    profile: Mapping[str, Any] | None = None
    return_profile: bool = False
    rules: tuple[Rule, ...] = ()
