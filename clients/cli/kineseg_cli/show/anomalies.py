"""The anomalies of a stream as spans of time, from when they are raised until they are cleared."""

from __future__ import annotations

from dataclasses import dataclass

from kineseg import AnomalyCleared, AnomalyRaised, AnomalyUpdated, Event


@dataclass(slots=True)
class AnomalySpan:
    """One anomaly, as far as it is known now; times in seconds since the stream's first frame.

    Attributes:
        end_s: When it was over; None while it goes on.
        score: Its highest score.
        severity: It is expected once in so many hours; 0: not known.
    """

    start_s: float
    end_s: float | None
    score: float
    threshold: float
    severity: float


class AnomalySpans:
    """The anomalies of a stream, in the order in which they were raised; grows with `add`."""

    def __init__(self) -> None:
        self.spans: list[AnomalySpan] = []
        self._open: dict[int, AnomalySpan] = {}

    def add(self, event: Event) -> None:
        """Takes the next event, whatever it is about."""
        if isinstance(event, AnomalyRaised):
            span = AnomalySpan(event.time_s, None, event.score, event.threshold, event.severity)
            self.spans.append(span)
            self._open[event.anomaly_id] = span
        elif isinstance(event, AnomalyUpdated | AnomalyCleared) and event.anomaly_id in self._open:
            span = self._open[event.anomaly_id]
            span.score, span.severity = event.score, event.severity
            if isinstance(event, AnomalyCleared):
                span.end_s = event.end_time_s
                del self._open[event.anomaly_id]
