"""Watches a stream in which one thing goes wrong, at the default budget, and says whether it was called what it is."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg_core.anomalies import AnomalyEvent, AnomalyKind, AnomalyMonitor, Cleared, Raised, WatchedSource

from evaluation.alerts.kinds.examples import EXAMPLES
from evaluation.alerts.kinds.faulty import Faulty
from evaluation.alerts.stream import AlertStream

_BEFORE_S, _AFTER_S = 0.5, 1.0
"""So long before its start and after its end an anomaly is a fault's: what is late shows in what was before."""


@dataclass(frozen=True)
class Emitted:
    """An event, and when it was emitted.

    Attributes:
        time_s: Time of the frame that decided it, seconds since the first one.
        event: What was emitted.
    """

    time_s: float
    event: AnomalyEvent


@dataclass(frozen=True, eq=False)
class Shown:
    """What watching a stream with a fault gave.

    Attributes:
        kind: Which was put in.
        faulty: The stream.
        emitted: All events, in their order.
    """

    kind: AnomalyKind
    faulty: Faulty
    emitted: tuple[Emitted, ...]

    @property
    def raised(self) -> Emitted | None:
        """When the first anomaly was raised that is about the fault, by whatever name; None: there was none."""
        return next((each for each in self.emitted if isinstance(each.event, Raised) and self._about(each.event)), None)

    @property
    def cleared(self) -> Emitted | None:
        """The anomaly that was called by the fault's name in the end; None: there was none."""
        about = (each for each in self.emitted if isinstance(each.event, Cleared) and self._about(each.event))
        return next((each for each in about if each.event.kind is self.kind), None)

    @property
    def history(self) -> tuple[Emitted, ...]:
        """All events of `cleared`'s anomaly."""
        if self.cleared is None:
            return ()
        wanted = self.cleared.event.anomaly_id
        return tuple(each for each in self.emitted if each.event.anomaly_id == wanted)

    @property
    def lasted_s(self) -> float:
        """How long `cleared`'s anomaly held, seconds; 0 if there was none."""
        event = None if self.cleared is None else self.cleared.event
        return event.end_s - event.since_s if isinstance(event, Cleared) else 0.0

    @property
    def delay_s(self) -> float | None:
        """From the fault's start to the first alarm about it; None: there was none."""
        return None if self.raised is None else self.raised.time_s - self.faulty.start_s

    def _about(self, event: AnomalyEvent) -> bool:
        faulty = self.faulty
        return faulty.start_s - _BEFORE_S <= event.since_s <= faulty.stop_s + _AFTER_S


def show(kind: AnomalyKind, seed: int) -> Shown:
    """The example of a kind, in the stream of a seed."""
    faulty = EXAMPLES[kind].make(seed)
    return Shown(kind, faulty, _watched(faulty.stream))


def _watched(stream: AlertStream) -> tuple[Emitted, ...]:
    rate = stream.recording.rate
    if stream.is_body:
        source = WatchedSource.of_joints(stream.units, stream.parents, rate)
    else:
        source = WatchedSource.of_channels(stream.units, rate)
    monitor = AnomalyMonitor(source)
    times_s = stream.times
    emitted = [Emitted(float(times_s[row]), event) for row, event in monitor.push(stream.values, times_s)]
    return (*emitted, *(Emitted(float(times_s[-1]), event) for event in monitor.finish()))
