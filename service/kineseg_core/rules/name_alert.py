"""A name that is an alert: raised for every segment that gets it, cleared when that ends, loses it or is retracted."""

from __future__ import annotations

from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.declared import keeps
from kineseg_core.rules.reports import NEVER_NS, RuleReports
from kineseg_core.rules.rule import NameRule
from kineseg_core.rules.running import Running, RunningSegment, next_start_ns


@keeps("_reports _raised", fixed="_rule _after_ns")
class NameAlert:
    """Watches one rule in one stream. Picklable.

    Args:
        rule: Which.
        reports: Where alerts are made.
    """

    _raised: dict[int, tuple[int, Place]]  # by segment: the alert, and since when

    def __init__(self, rule: NameRule, reports: RuleReports) -> None:
        self._rule = rule
        self._reports = reports
        self._after_ns = round(rule.after_s * SECOND)
        self._raised = {}

    @property
    def raised(self) -> set[int]:
        """Numbers of what goes on."""
        return {alert for alert, _ in self._raised.values()}

    def look(self, running: Running, now: Place) -> list[AnomalyFound]:
        """Something has become known of the segments that run, or time has passed."""
        found = []
        for number, segment in running.items():
            if segment.name == self._rule.name:
                if number not in self._raised and self._lasted_ns(running, segment, now) >= self._after_ns:
                    found.append(self._raise(number, segment.start, now))
            elif number in self._raised:
                found.append(self._correct(number, _other(segment.name), now))
        return found

    def retracted(self, number: int, now: Place) -> list[AnomalyFound]:
        """There is no such segment after all."""
        return [self._correct(number, "retracted", now)] if number in self._raised else []

    def closed(self, number: int, segment: RunningSegment, end: Place, now: Place) -> list[AnomalyFound]:
        """A segment has ended, and this is its final name."""
        if segment.name != self._rule.name:
            return [self._correct(number, _other(segment.name), now)] if number in self._raised else []
        found = []
        if number not in self._raised:
            if end[1] - segment.start[1] < self._after_ns:
                return []
            found.append(self._raise(number, segment.start, now))
        alert, _ = self._raised.pop(number)
        return [*found, self._reports.cleared(self._rule, alert, segment.start, end, now)]

    def due_ns(self, running: Running) -> int:
        """When time alone raises an alert."""
        return min(
            (
                segment.start[1] + self._after_ns
                for number, segment in running.items()
                if segment.name == self._rule.name
                and number not in self._raised
                and next_start_ns(running, segment.start) is None
            ),
            default=NEVER_NS,
        )

    def finish(self, end: Place, now: Place) -> list[AnomalyFound]:
        """The stream is over: so are its segments, each of which has been closed."""
        return []

    def _lasted_ns(self, running: Running, segment: RunningSegment, now: Place) -> int:
        until = next_start_ns(running, segment.start)
        return (now[1] if until is None else until) - segment.start[1]

    def _raise(self, number: int, start: Place, now: Place) -> AnomalyFound:
        found = self._reports.raised(self._rule, start, now)
        self._raised[number] = found.detail.anomaly_id, start
        return found

    def _correct(self, number: int, why: str, now: Place) -> AnomalyFound:
        alert, start = self._raised.pop(number)
        return self._reports.cleared(self._rule, alert, start, now, now, why)


def _other(name: str) -> str:
    return f"corrected: it is {name}" if name else "corrected: it has no name"
