"""What is found, and what is reported of nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from evaluation.behaviour.watch import Report

Span = tuple[float, float]


@dataclass
class Counts:
    """Of the streams of one condition.

    Attributes:
        hours: How long they were.
        faults, found, named: How many faults there were, got any report, and got one of their kind.
        delays_s: From where each that was named begins to its report.
        false: Reports of anything else.
    """

    hours: float = 0.0
    faults: int = 0
    found: int = 0
    named: int = 0
    delays_s: list[float] = field(default_factory=list)
    false: int = 0

    def add(self, hours: float, reports: Sequence[Report], faults: Iterable[Span], kind: str, slack_s: float) -> None:
        """Takes a stream.

        Args:
            hours: How long it was.
            reports: All of it.
            faults: Where each fault begins and ends, seconds.
            kind: What it should be called.
            slack_s: How far off its beginning a report's may be.
        """
        self.hours += hours
        about = set[Report]()
        for begin, end in faults:
            these = [report for report in reports if begin - slack_s <= report.since_s < end]
            rightly = [report for report in these if report.kind == kind]
            about.update(these)
            self.faults += 1
            self.found += bool(these)
            self.named += bool(rightly)
            self.delays_s += [rightly[0].raised_s - begin] if rightly else []
        self.false += len(set(reports) - about)

    @property
    def percent(self) -> float:
        """Of faults that were found and rightly named."""
        return 100.0 * self.named / max(1, self.faults)

    @property
    def false_per_hour(self) -> float:
        """Reports of nothing."""
        return self.false / self.hours
