"""Events of anomalies: raised, updated, cleared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kineseg._events.anomaly_kinds import AnomalyClass, AnomalyKind
from kineseg._events.event import Event, EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyEvent(Event):
    """What all events of an anomaly say.

    Attributes:
        anomaly_id: Number of the anomaly in its stream: 1, 2, 3 ... It joins the events of one anomaly.
        anomaly_kind: What is wrong, as far as is known.
        anomaly_class: What it is about: the source, what is done, or a rule.
        severity: How rare that is, in a unit that all kinds share: as bad as this is expected once in so many hours;
            the highest so far.
        text: A sentence in plain English, such as "left wrist frozen for 2.1 s".
        channels: The channels concerned. Empty: the stream was opened with joints, or it is the whole source.
        joints: The joints concerned. Empty: the stream has none, or it is the whole source.
        rule: Id of the rule that says so, such as "name:fall"; empty unless the kind is ``"rule"``.
    """

    anomaly_id: int
    anomaly_kind: AnomalyKind
    anomaly_class: AnomalyClass = AnomalyClass.FAULT
    severity: float
    text: str
    channels: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyRaised(AnomalyEvent):
    """From `frame` on something is wrong with the source, or unusual in what is done, or a rule holds."""

    kind: ClassVar[EventKind] = EventKind.ANOMALY


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyUpdated(AnomalyEvent):
    """More is known of an anomaly that goes on: its kind, whom it concerns, since when, or that it is worse.

    `frame` is where it begins as far as is known now.
    """

    kind: ClassVar[EventKind] = EventKind.ANOMALY_UPDATED


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyCleared(AnomalyEvent):
    """The anomaly that began at `frame` is over: nothing has been wrong for some time, or the stream has ended.

    Attributes:
        end_frame: The first frame after it.
        end_time_s: Time of `end_frame`, seconds since the stream's first frame.
        duration_s: How long it lasted, seconds.
    """

    kind: ClassVar[EventKind] = EventKind.ANOMALY_CLEARED

    end_frame: int
    end_time_s: float
    duration_s: float
