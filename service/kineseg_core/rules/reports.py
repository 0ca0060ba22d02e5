"""Alerts of rules as anomalies that are raised and cleared."""

from __future__ import annotations

import math

from kineseg_core.anomalies.kinds import AnomalyClass, AnomalyKind
from kineseg_core.anomalies.signs import RULE_SEVERITY
from kineseg_core.events import AnomalyCleared, AnomalyRaised
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.watch import AnomalyFound, Place
from kineseg_core.kept.declared import keeps
from kineseg_core.rules.rule import Rule

NEVER_NS = 1 << 62
_SEVERITY = math.exp(RULE_SEVERITY)
"""Once in so many hours: what somebody has made a rule of is no matter of chance."""


@keeps("_count")
class RuleReports:
    """Numbers the alerts of one stream: 1, 2, 3 ... Picklable."""

    def __init__(self) -> None:
        self._count = 0

    def raised(self, rule: Rule, since: Place, now: Place) -> AnomalyFound:
        """An alert begins."""
        self._count += 1
        text = rule.said((now[1] - since[1]) / SECOND)
        detail = AnomalyRaised(
            self._count, AnomalyKind.RULE, _SEVERITY, text, rule=rule.id, anomaly_class=AnomalyClass.RULE
        )
        return AnomalyFound(detail, *since, *now)

    def cleared(
        self, rule: Rule, number: int, since: Place, end: Place, now: Place, correction: str = ""
    ) -> AnomalyFound:
        """An alert is over; `correction` says why it should not have been raised."""
        lasted_s = max(0, end[1] - since[1]) / SECOND
        text = f"{rule.said(lasted_s)} ({correction})" if correction else rule.said(lasted_s)
        detail = AnomalyCleared(
            number,
            AnomalyKind.RULE,
            _SEVERITY,
            text,
            end[0],
            end[1] / SECOND,
            lasted_s,
            rule=rule.id,
            anomaly_class=AnomalyClass.RULE,
        )
        return AnomalyFound(detail, *since, *now)
