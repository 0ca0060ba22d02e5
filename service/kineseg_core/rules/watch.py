"""Watches the rules of one stream over the names that its segments get."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.declared import keeps
from kineseg_core.rules.absence_alert import AbsenceAlert
from kineseg_core.rules.name_alert import NameAlert
from kineseg_core.rules.reports import RuleReports
from kineseg_core.rules.rule import NameRule, Rule
from kineseg_core.rules.running import RunningSegment


@keeps("_alerts _running _due_ns")
class RuleWatch:
    """What it says follows from what is decided of segments, and from the stream's own time. Picklable.

    Every `now` is the frame that decides, and its time in nanoseconds; each method gives what is raised and cleared.

    Args:
        rules: What is watched.
    """

    _running: dict[int, RunningSegment]

    def __init__(self, rules: Sequence[Rule]) -> None:
        reports = RuleReports()
        self._alerts: list[NameAlert | AbsenceAlert] = [
            NameAlert(rule, reports) if isinstance(rule, NameRule) else AbsenceAlert(rule, reports) for rule in rules
        ]
        self._running = {}
        self._due_ns = 0

    @property
    def raised(self) -> set[int]:
        """Numbers of the alerts that go on."""
        return set().union(*(alert.raised for alert in self._alerts))

    def runs(self, number: int, name: str, start: Place, now: Place, *, confirmed: bool = True) -> list[AnomalyFound]:
        """A segment runs, provisional or confirmed; this is its name as far as is known now, and where it begins."""
        self._running[number] = RunningSegment(start, name, confirmed)
        return self._look(now)

    def is_unnamed(self, number: int) -> bool:
        """Whether a segment runs and has no name yet."""
        segment = self._running.get(number)
        return segment is not None and not segment.name

    def retracted(self, number: int, now: Place) -> list[AnomalyFound]:
        """There is no such segment after all."""
        self._running.pop(number, None)
        found = [each for alert in self._alerts for each in alert.retracted(number, now)]
        return [*found, *self._look(now)]

    def closed(self, number: int, name: str, start: Place, end: Place, now: Place) -> list[AnomalyFound]:
        """A segment has ended before `end`; nothing of it changes any more."""
        self._running.pop(number, None)
        segment = RunningSegment(start, name)
        found = [each for alert in self._alerts for each in alert.closed(number, segment, end, now)]
        return [*found, *self._look(now)]

    def advance(self, now: Place) -> list[AnomalyFound]:
        """Time has passed, and nothing is known that was not before."""
        return self._look(now) if now[1] >= self._due_ns else []

    def finish(self, end: Place, now: Place) -> list[AnomalyFound]:
        """The stream is over, and all its segments are closed: clears what goes on."""
        return [each for alert in self._alerts for each in alert.finish(end, now)]

    def _look(self, now: Place) -> list[AnomalyFound]:
        found = [each for alert in self._alerts for each in alert.look(self._running, now)]
        self._due_ns = min(alert.due_ns(self._running) for alert in self._alerts)
        return found
