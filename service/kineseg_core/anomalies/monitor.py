"""Watches one stream's source values and raises typed anomalies under a budget of alarms an hour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg_core.anomalies.budget import AlarmBar, AnomalyBudget
from kineseg_core.anomalies.diagnosis.body import diagnose_body
from kineseg_core.anomalies.diagnosis.body_evidence import body_evidence
from kineseg_core.anomalies.diagnosis.body_rules import BodyRules
from kineseg_core.anomalies.diagnosis.channel_rules import ChannelRules
from kineseg_core.anomalies.diagnosis.channels import diagnose_channels
from kineseg_core.anomalies.diagnosis.recent import Recent
from kineseg_core.anomalies.events import AnomalyEvent, Cleared, Raised, Updated
from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.profile import profile_of, restore
from kineseg_core.anomalies.rules.book import RuleBook, RuleFinding
from kineseg_core.anomalies.score.scorer import Scorer
from kineseg_core.anomalies.sentence import sentence, spoken
from kineseg_core.anomalies.signs import RULE_SEVERITY, Sign
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.tracker import HYSTERESIS, AnomalyTracker, Change
from kineseg_core.anomalies.values.body import BodyValues
from kineseg_core.anomalies.values.channels import ChannelValues
from kineseg_core.errors import InvalidFrame

_STAYS_S = 20.0
_RAREST = 40.0  # nats: rarer than once in the age of the universe, and e^s stays a number


class AnomalyMonitor:
    """Watches a stream frame by frame; what it says of a frame depends on nothing later. Picklable.

    Args:
        source: What the frames are.
        budget: How many alarms an hour may be false; two unless given.
        profile: What an earlier stream of the same source has taught, see `profile`.

    Attributes:
        source, budget: As given.
        severity: Nats s of the newest frame: something as bad comes once in e^s hours.

    Raises:
        InvalidRequest: The profile is of another source, or none.
    """

    def __init__(
        self,
        source: WatchedSource,
        budget: AnomalyBudget | None = None,
        *,
        profile: Mapping[str, Any] | None = None,
    ) -> None:
        self.source = source
        self.budget = budget or AnomalyBudget()
        self.severity = -np.inf
        self._rules = RuleBook(source)
        self._scorer = Scorer(source)
        ratios = self._scorer.ratios
        numbers = 1 if source.parents is None else 3
        self._recent = Recent(len(source.names), numbers, len(ratios.layout.detectors), ratios.rate_hz)
        self._body_rules = BodyRules(source, ratios.values) if isinstance(ratios.values, BodyValues) else None
        self._channel_rules = ChannelRules(source, ratios.values) if isinstance(ratios.values, ChannelValues) else None
        self._bar = AlarmBar(self.budget)
        self._tracker = AnomalyTracker(self._bar, _neighbours(source))
        if profile is not None:
            restore(profile, source, self._scorer)
        self._spoken = spoken(source.names)
        self._time_s: float | None = None
        self._shown: list[RuleFinding] = []
        self._scored: list[Sign] = []

    def update(self, values: ArrayLike, time_s: float) -> list[AnomalyEvent]:
        """Takes the next frame.

        Args:
            values: ``(J, 3)`` positions in any unit, or ``(C,)`` channels; NaN: lost.
            time_s: Capture time, seconds. One that is not later than the last counts as that one.

        Returns:
            What is raised, updated and cleared with it.

        Raises:
            InvalidFrame: Another shape, or a time that is not finite.
        """
        frame, time_s = self._checked(values, time_s), float(time_s)
        interval_s = None if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s if self._time_s is None else max(time_s, self._time_s)
        rules, scorer = self._rules, self._scorer
        findings = rules.update(frame, self._time_s, interval_s)
        if scorer.update(rules.filled, rules.lost if rules.any_lost else None, gap=rules.gap, learns=self._learns()):
            self._shown = self._look(self._time_s)
            self._recent.add(self._time_s, rules.filled, scorer.severities, scorer.ratios.top)
            self._scored = scorer.signs(self._bar.level(self._time_s) - HYSTERESIS, self._time_s)
        findings += self._shown
        signs = [Sign(finding.kind, finding.units, RULE_SEVERITY, finding.since_s) for finding in findings]
        self.severity = RULE_SEVERITY if findings else scorer.highest
        return self._events(self._tracker.update(self._time_s, signs + self._scored, self._named))

    @property
    def warming_up(self) -> tuple[str, ...]:
        """What is not watched yet: classes of detectors (rules watch from the first frame on)."""
        return tuple(of.value for of in self._scorer.warming_up)

    def profile(self) -> dict[str, Any]:
        """What the stream has taught about its rig, as plain values: for the next session, and for JSON."""
        return profile_of(self.source, self._scorer)

    def finish(self) -> list[AnomalyEvent]:
        """The stream is over: clears what goes on."""
        return [] if self._time_s is None else self._events(self._tracker.finish(self._time_s))

    def _checked(self, values: ArrayLike, time_s: float) -> NDArray[np.float64]:
        frame = np.array(values, np.float64)  # a copy
        if frame.shape != self.source.shape:
            raise InvalidFrame(
                f"values: have shape {frame.shape}; expected {self.source.shape}, a number for each of "
                f"{', '.join(self.source.names[:3])} ...",
                field="values",
            )
        if not math.isfinite(time_s):
            raise InvalidFrame(f"time_s: is {time_s}; expected the capture time in seconds", field="time_s")
        return frame.reshape(len(self.source.names), -1)

    def _look(self, time_s: float) -> list[RuleFinding]:
        """The rules that look at rows of values."""
        ratios = self._scorer.ratios
        settled = not ratios.mostly_silent
        if self._body_rules is not None:
            return self._body_rules.update(time_s, settled=settled)
        assert self._channel_rules is not None
        usual_bends = ratios.envelope.quantile[: len(self.source.names)]
        return self._channel_rules.update(time_s, usual_bends, settled=settled)

    def _learns(self) -> bool:
        """Whether what comes may become what is usual: not while an anomaly goes on, unless it stays."""
        since_s = self._tracker.alarmed_since_s
        return since_s is None or (self._time_s or 0.0) - since_s > _STAYS_S

    def _named(self, since_s: float, signs: Sequence[Sign]) -> tuple[AnomalyKind, tuple[int, ...]]:
        if self.source.parents is None:
            return diagnose_channels(self._scorer.ratios, self._recent, since_s, signs)
        return diagnose_body(body_evidence(self.source, self._scorer.ratios, self._recent, since_s))

    def _events(self, changes: Sequence[Change]) -> list[AnomalyEvent]:
        return [self._event(change) for change in changes]

    def _event(self, change: Change) -> AnomalyEvent:
        anomaly, now_s = change.anomaly, self._time_s or 0.0
        cleared = change.what == "cleared"
        units = anomaly.units or range(len(self.source.names))
        said = (
            anomaly.anomaly_id,
            anomaly.kind,
            tuple(self.source.names[unit] for unit in units),
            math.exp(min(anomaly.severity, _RAREST)),
            anomaly.since_s,
            sentence(
                anomaly.kind,
                tuple(self._spoken[unit] for unit in anomaly.units),
                (anomaly.end_s if cleared else now_s) - anomaly.since_s,
            ),
        )
        if cleared:
            return Cleared(*said, end_s=anomaly.end_s)
        return (Raised if change.what == "raised" else Updated)(*said)


def _neighbours(source: WatchedSource) -> list[frozenset[int]]:
    """Of every unit: itself, and of a joint its parent and children."""
    around = [{unit} for unit in range(len(source.names))]
    for joint, parent in enumerate(source.parents or ()):
        if parent >= 0:
            around[joint].add(parent)
            around[parent].add(joint)
    return [frozenset(units) for units in around]
