"""From findings to reports, under a budget of their own: raised once for one cause, updated, and cleared."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from kineseg_core.anomalies.budget import AlarmBar
from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.tracker import HYSTERESIS, RAREST
from kineseg_core.behaviour.finding import Finding, seconds
from kineseg_core.events import AnomalyCleared, AnomalyRaised, AnomalyUpdated
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.declared import keeps, record

_WORSE = 1.0
"""Nats more, of which it is worth telling."""


@record
@dataclass(slots=True)
class _Open:
    """A report that goes on: its number, what was found last, and its severity as emitted."""

    number: int
    finding: Finding
    emitted: float


@keeps("_bar _open _count", fixed="_of_joints")
class Reports:
    """Reports of one stream, at most one of a kind at a time, numbered 1, 2, 3 ... Picklable.

    Args:
        per_hour: How many an hour may be about nothing.
        of_joints: Units are joints, and not channels.
    """

    _open: dict[AnomalyKind, _Open]

    def __init__(self, per_hour: float, *, of_joints: bool = False) -> None:
        self._of_joints = of_joints
        self._bar = AlarmBar(per_hour)
        self._open = {}
        self._count = 0

    @property
    def raised(self) -> set[int]:
        """Numbers of the reports that go on."""
        return {one.number for one in self._open.values()}

    def is_open(self, kind: AnomalyKind) -> bool:
        """Whether a report of that kind goes on."""
        return kind in self._open

    def single(self, finding: Finding | None, now: Place, end: Place) -> list[AnomalyFound]:
        """Something that is over once it is known."""
        return [*self.on(finding, now), *self.over(finding.kind, now, end)] if finding is not None else []

    def on(self, finding: Finding | None, now: Place) -> list[AnomalyFound]:
        """Something that goes on: raised if it is rare enough; or, once raised, updated if it is worse or another."""
        if finding is None:
            return []
        known = self._open.get(finding.kind)
        if known is None:
            if not self._is_due(finding.nats, now):
                return []
            self._count += 1
            self._bar.raise_by_alarm(seconds(now))
            known = self._open[finding.kind] = _Open(self._count, finding, finding.nats)
            return [_found(AnomalyRaised(**self._said(known)), finding.since, now)]
        is_other = finding.aspect != known.finding.aspect and not self.calm(finding.nats, now)
        if not is_other and min(finding.nats, RAREST) < known.emitted + _WORSE:
            return []
        known.finding = replace(finding, since=known.finding.since)
        known.emitted = max(known.emitted, finding.nats)
        return [_found(AnomalyUpdated(**self._said(known)), known.finding.since, now)]

    def calm(self, nats: float, now: Place) -> bool:
        """Whether what was reported, and now is so rare, is over."""
        return nats < self._bar.level(seconds(now)) - HYSTERESIS

    def over(self, kind: AnomalyKind, now: Place, end: Place, text: str = "") -> list[AnomalyFound]:
        """What went on of that kind, if anything did, is over since `end`."""
        known = self._open.pop(kind, None)
        if known is None:
            return []
        since = known.finding.since
        detail = AnomalyCleared(
            **self._said(known, text), end_frame=end[0], end_time_s=end[1] / 1e9, duration_s=(end[1] - since[1]) / 1e9
        )
        return [_found(detail, since, now)]

    def finish(self, end: Place, now: Place) -> list[AnomalyFound]:
        """The stream has ended before `end`, with the frame `now`."""
        return [found for kind in tuple(self._open) for found in self.over(kind, now, end)]

    def _is_due(self, nats: float, now: Place) -> bool:
        return nats >= self._bar.level(seconds(now))

    def _said(self, report: _Open, text: str = "") -> dict[str, Any]:
        """What every event says of its report."""
        finding = report.finding
        return {
            "anomaly_id": report.number,
            "anomaly_kind": finding.kind,
            "severity": math.exp(min(report.emitted, RAREST)),
            "text": text or finding.text,
            "channels": () if self._of_joints else finding.units,
            "joints": finding.units if self._of_joints else (),
            "anomaly_class": finding.kind.anomaly_class,
        }


def _found(detail: AnomalyRaised | AnomalyUpdated | AnomalyCleared, since: Place, now: Place) -> AnomalyFound:
    return AnomalyFound(detail, *since, *now)
