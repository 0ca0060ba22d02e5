"""The absence of a name that is an alert: raised when no segment had it for some time, cleared when one has."""

from __future__ import annotations

from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.declared import keeps
from kineseg_core.rules.reports import NEVER_NS, RuleReports
from kineseg_core.rules.rule import AbsenceRule
from kineseg_core.rules.running import Running, RunningSegment


@keeps("_reports _since _raised", fixed="_rule _for_ns")
class AbsenceAlert:
    """Watches one rule in one stream. Picklable.

    A segment that runs counts as soon as it has the name; if it is retracted, or renamed, the absence goes on as if
    there had been none. One that began in time and is provisional may be it: that is waited for, which takes no longer
    than the latency budget.

    Args:
        rule: Which.
        reports: Where alerts are made.
    """

    _since: Place  # where the last segment with the name ended, or the stream began
    _raised: int | None

    def __init__(self, rule: AbsenceRule, reports: RuleReports) -> None:
        self._rule = rule
        self._reports = reports
        self._for_ns = round(rule.for_s * SECOND)
        self._since = (0, 0)
        self._raised = None

    @property
    def raised(self) -> set[int]:
        """Numbers of what goes on."""
        return set() if self._raised is None else {self._raised}

    def look(self, running: Running, now: Place) -> list[AnomalyFound]:
        """Something has become known of the segments that run, or time has passed."""
        begun = self._begun(running)
        if begun is not None:
            return self._clear(begun, now)
        if self._raised is None and now[1] >= self._due_ns and not self._may_be_over(running):
            found = self._reports.raised(self._rule, self._since, now)
            self._raised = found.detail.anomaly_id
            return [found]
        return []

    def retracted(self, number: int, now: Place) -> list[AnomalyFound]:
        """There is no such segment after all: `look` sees the rest."""
        return []

    def closed(self, number: int, segment: RunningSegment, end: Place, now: Place) -> list[AnomalyFound]:
        """A segment has ended, and this is its final name."""
        if segment.name != self._rule.name:
            return []
        found = self._clear(segment.start, now)
        self._since = max(self._since, end, key=lambda place: place[1])
        return found

    def due_ns(self, running: Running) -> int:
        """When time alone raises an alert."""
        waits = self._raised is None and self._begun(running) is None and not self._may_be_over(running)
        return self._due_ns if waits else NEVER_NS

    def finish(self, end: Place, now: Place) -> list[AnomalyFound]:
        """The stream is over."""
        return self._clear(end, now)

    @property
    def _due_ns(self) -> int:
        return self._since[1] + self._for_ns

    def _may_be_over(self, running: Running) -> bool:
        """Whether a segment that began in time is not certain yet, nor what it is called."""
        return any(not segment.confirmed and segment.start[1] < self._due_ns for segment in running.values())

    def _begun(self, running: Running) -> Place | None:
        """Where the first segment with the name begins that runs."""
        starts = [segment.start for segment in running.values() if segment.name == self._rule.name]
        return min(starts, key=lambda place: place[1], default=None)

    def _clear(self, end: Place, now: Place) -> list[AnomalyFound]:
        if self._raised is None:
            return []
        number, self._raised = self._raised, None
        correction = "corrected: it had begun" if end[1] < self._due_ns else ""
        return [self._reports.cleared(self._rule, number, self._since, end, now, correction)]
