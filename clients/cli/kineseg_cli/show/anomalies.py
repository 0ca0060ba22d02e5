"""The anomalies of a stream as spans of time, from when they are raised until they are cleared."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg import AnomalyClass, AnomalyCleared, AnomalyRaised, AnomalyUpdated, Event


@dataclass(slots=True)
class AnomalySpan:
    """One anomaly, as far as it is known now; times in seconds since the stream's first frame.

    Attributes:
        anomaly_id: Its number.
        kind: What is wrong.
        about: Its class: the source, what is done, or a rule.
        end_s: When it was over; None while it goes on.
        severity: It is expected once in so many hours.
        text: A sentence about it.
        rule: The rule that says so; empty: none.
    """

    anomaly_id: int
    kind: str
    start_s: float
    end_s: float | None
    severity: float
    text: str
    rule: str = ""
    about: AnomalyClass = AnomalyClass.FAULT


class AnomalySpans:
    """The anomalies of a stream, in the order in which they were raised; grows with `add`."""

    def __init__(self) -> None:
        self.spans: list[AnomalySpan] = []
        self._places: dict[int, int] = {}  # in `spans`, by number

    def add(self, event: Event) -> None:
        """Takes the next event, whatever it is about."""
        if not isinstance(event, AnomalyRaised | AnomalyUpdated | AnomalyCleared):
            return
        known = AnomalySpan(
            event.anomaly_id, str(event.anomaly_kind), event.time_s, None, event.severity, event.text, event.rule,
            event.anomaly_class,
        )  # fmt: skip
        if isinstance(event, AnomalyRaised):
            self.spans.append(known)
        elif event.anomaly_id in self._places:
            self.spans[self._places[event.anomaly_id]] = known
        else:
            return  # of a stream that is watched from its middle on
        self._places.setdefault(event.anomaly_id, len(self.spans) - 1)
        if isinstance(event, AnomalyCleared):
            known.end_s = event.end_time_s
