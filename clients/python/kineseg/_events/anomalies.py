"""Events of anomalies: raised, updated, cleared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kineseg._events.anomaly_kinds import AnomalyClass, AnomalyKind
from kineseg._events.event import Event, EventKind


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
