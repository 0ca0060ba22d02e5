"""From findings to reports, under a budget of their own: raised once for one cause, updated, and cleared."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kineseg_core.anomalies.budget import AlarmBar
from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.tracker import HYSTERESIS, RAREST
from kineseg_core.behaviour.finding import Finding, seconds
from kineseg_core.events import AnomalyCleared, AnomalyRaised, AnomalyUpdated
from kineseg_core.intake.watch import AnomalyFound, Place

_WORSE = 1.0
"""Nats more, of which it is worth telling."""


@dataclass(slots=True)
class _Open:
    """A report that goes on: its number, what was found last, and its severity as emitted."""

    number: int
    finding: Finding
    emitted: float


class Reports:
    """Reports of one stream, at most one of a kind at a time, numbered 1, 2, 3 ... Picklable.

    Args:
        per_hour: How many an hour may be about nothing.
    """

    def __init__(self, per_hour: float) -> None:
        self._bar = AlarmBar(per_hour)
        self._open: dict[AnomalyKind, _Open] = {}
        self._count = 0

    def is_open(self, kind: AnomalyKind) -> bool:
        """Whether a report of that kind goes on."""
        return kind in self._open

    def reports(self, nats: float, now: Place) -> bool:
        """Whether something so rare would be reported."""
        return nats >= self._bar.level(seconds(now))

    def single(self, finding: Finding | None, now: Place, end: Place) -> list[AnomalyFound]:
        """Something that is over once it is known."""
        return [*self.on(finding, now), *self.over(finding.kind, now, end)] if finding is not None else []

    def on(self, finding: Finding | None, now: Place) -> list[AnomalyFound]:
        """Something that goes on: it is raised if it is rare enough, or updated if it is raised and now is worse."""
        if finding is None:
            return []
        known = self._open.get(finding.kind)
        if known is None:
            if not self.reports(finding.nats, now):
                return []
            self._count += 1
            self._bar.raise_by_alarm(seconds(now))
            self._open[finding.kind] = _Open(self._count, finding, finding.nats)
            return [_found(AnomalyRaised(*_said(self._count, finding)), finding, now)]
        if min(finding.nats, RAREST) < known.emitted + _WORSE:
            return []
        known.finding, known.emitted = finding, finding.nats
        return [_found(AnomalyUpdated(*_said(known.number, finding)), finding, now)]

    def calm(self, nats: float, now: Place) -> bool:
        """Whether what was reported, and now is so rare, is over."""
        return nats < self._bar.level(seconds(now)) - HYSTERESIS

    def over(self, kind: AnomalyKind, now: Place, end: Place, text: str = "") -> list[AnomalyFound]:
        """What went on of that kind, if anything did, is over since `end`."""
        known = self._open.pop(kind, None)
        if known is None:
            return []
        finding = known.finding
        number, kind_, severity, said, channels, joints = _said(known.number, finding)
        lasted_s = (end[1] - finding.since[1]) / 1e9
        detail = AnomalyCleared(
            number, kind_, severity, text or said, end[0], end[1] / 1e9, lasted_s, channels, joints
        )
        return [_found(detail, finding, now)]

    def finish(self, end: Place) -> list[AnomalyFound]:
        """The stream is over."""
        return [found for kind in tuple(self._open) for found in self.over(kind, end, end)]


def _said(
    number: int, finding: Finding
) -> tuple[int, AnomalyKind, float, str, tuple[str, ...], tuple[str, ...]]:
    severity_h = math.exp(min(finding.nats, RAREST))
    return number, finding.kind, severity_h, finding.text, (), finding.joints


def _found(detail: AnomalyRaised | AnomalyUpdated | AnomalyCleared, finding: Finding, now: Place) -> AnomalyFound:
    return AnomalyFound(detail, *finding.since, *now)
