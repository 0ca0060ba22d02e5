"""From signs to anomalies: raised once for one cause, updated when more is known, cleared when it is over."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kineseg_core.anomalies.budget import AlarmBar
from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.anomalies.signs import DetectorClass, Sign
from kineseg_core.kept.declared import keeps, record

HYSTERESIS = 2.0
"""Nats below the bar at which a detector's sign is over."""

_JOINED_S = 2.0
"""Signs that begin so soon after an anomaly did have its cause."""
_BEFORE_RULE_S = 0.5
"""A rule explains what detectors raised if that was not longer before the rule began to hold."""
_CALM_S, _CALM_AFTER_RULE_S = 1.0, 0.5
_NAMED_AFTER_S = (0.0, 0.25, 0.45)
"""When it is named; later, what tells kinds apart is past."""
RAREST = math.log(24.0 * 365.25)
"""Nats of once in a year: how much rarer something is, no stream can teach."""
_WORSE = 1.0
_LEAST_INTERVAL_S = 1.0
_MUTED_S = 5.0
"""A detector's sign that outlives the rule's anomaly which explained it is another anomaly after so long."""

_SEEN_AT_ONCE = frozenset({AnomalyKind.AXES})
"""Kinds that a rule which takes longer may explain: a loop begins with a jump."""
_OUTLASTS_RULE = frozenset({AnomalyKind.LATE})
"""Kinds whose rule sees only how they begin."""

Of = AnomalyKind | DetectorClass
Namer = Callable[[float, Sequence[Sign], bool], tuple[AnomalyKind, tuple[int, ...], float]]
"""Given since when and by which signs, and whether only just, what an anomaly is, of which units, and since when."""


@record
@dataclass(slots=True)
class OpenAnomaly:
    """An anomaly that goes on.

    Attributes:
        anomaly_id: Its number.
        since_s: Since when it holds.
        raised_s: When it was raised.
        kind, units, severity: What is known by now.
        signs: The latest of each that it has.
        emitted: Kind, units and severity as emitted last; None: not yet.
        emitted_s: When.
        named: How often it has been named.
        end_s: Time of the first frame without a sign.
    """

    anomaly_id: int
    since_s: float
    raised_s: float
    kind: AnomalyKind
    units: tuple[int, ...]
    severity: float
    signs: dict[Of, Sign] = field(default_factory=dict)
    emitted: tuple[AnomalyKind, tuple[int, ...], float] | None = None
    emitted_s: float = 0.0
    named: int = 0
    end_s: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether a rule found it."""
        return any(sign.exact for sign in self.signs.values())


@record
@dataclass(slots=True)
class _On:
    """A sign that is on.

    Attributes:
        last_s: When it held last.
        over_s: Time of the first frame in which it no longer held.
        anomaly: Whose it is; None: that one is over, and its cause explains the sign still.
        since_s: When that was.
    """

    last_s: float
    over_s: float
    anomaly: OpenAnomaly | None
    since_s: float


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an anomaly: it is ``"raised"``, ``"updated"`` or ``"cleared"``."""

    what: str
    anomaly: OpenAnomaly


@keeps("_bar _count _on _open", fixed="_neighbours")
class AnomalyTracker:
    """Anomalies of one stream, each with a number of its own: 1, 2, 3 ... Picklable.

    Args:
        bar: From which severity on a detector's sign is an alarm.
        neighbours: Of each unit, the units next to it and itself.
    """

    _on: dict[Of, _On]
    _open: list[OpenAnomaly]

    def __init__(self, bar: AlarmBar, neighbours: Sequence[frozenset[int]]) -> None:
        self._bar = bar
        self._neighbours = neighbours
        self._count = 0
        self._on = {}
        self._open = []

    @property
    def idle(self) -> bool:
        """Whether nothing goes on: a frame without a rule that holds and below the bar changes nothing."""
        return not self._on and not self._open

    @property
    def alarmed_since_s(self) -> float | None:
        """When the newest anomaly that goes on was raised."""
        return self._open[-1].raised_s if self._open else None

    def update(self, time_s: float, signs: Sequence[Sign], namer: Namer) -> list[Change]:
        """Takes the signs of a frame.

        Args:
            time_s: Capture time of the frame.
            signs: Rules that hold, and detectors not more than `HYSTERESIS` below the bar.
            namer: Names what detectors have found.

        Returns:
            What becomes of which anomaly.
        """
        changes: list[Change] = []
        if not signs and self.idle:
            return changes
        level = self._bar.level(time_s)
        for sign in signs:
            self._take(time_s, sign, level)
        self._end_signs(time_s, {sign.of for sign in signs})
        for anomaly in tuple(self._open):
            if self._is_over(anomaly):
                self._close(anomaly, time_s)
                changes.append(Change("cleared", anomaly))
            else:
                changes += self._updated(anomaly, time_s, namer)
        return changes

    def finish(self, time_s: float) -> list[Change]:
        """The stream is over: so are its anomalies."""
        cleared = []
        for anomaly in self._open:
            anomaly.end_s = time_s
            cleared.append(Change("cleared", anomaly))
        self._open, self._on = [], {}
        return cleared

    def _take(self, time_s: float, sign: Sign, level: float) -> None:
        on = self._on.get(sign.of)
        if on is not None:
            on.last_s = on.over_s = time_s
            if on.anomaly is not None:
                _add(on.anomaly, sign)
                return
            if time_s - on.since_s < _MUTED_S:
                return
        if not sign.exact and sign.severity < level:
            return
        anomaly = self._cause(time_s, sign)
        if anomaly is None:
            self._count += 1
            kind = sign.of if isinstance(sign.of, AnomalyKind) else AnomalyKind.UNUSUAL
            anomaly = OpenAnomaly(self._count, sign.since_s, time_s, kind, sign.units, sign.severity)
            self._open.append(anomaly)
            if not sign.exact:
                self._bar.raise_by_alarm(time_s)
        self._on[sign.of] = _On(time_s, time_s, anomaly, time_s)
        _add(anomaly, sign)

    def _cause(self, time_s: float, sign: Sign) -> OpenAnomaly | None:
        """The anomaly that a new sign belongs to."""
        for anomaly in self._open:
            young = time_s - anomaly.raised_s <= _JOINED_S
            if sign.exact:
                explains = young and sign.since_s - anomaly.raised_s <= _BEFORE_RULE_S
                if explains and (not anomaly.exact or anomaly.kind in _SEEN_AT_ONCE):
                    return anomaly
            elif young or self._near(sign.units, anomaly.units):
                return anomaly
        return None

    def _near(self, some: tuple[int, ...], others: tuple[int, ...]) -> bool:
        if not some or not others:
            return True
        around = frozenset().union(*(self._neighbours[unit] for unit in others))
        return not around.isdisjoint(some)

    def _end_signs(self, time_s: float, held: set[Of]) -> None:
        for of, on in tuple(self._on.items()):
            if of in held:
                continue
            if on.over_s == on.last_s:
                on.over_s = time_s
            calm_s = _CALM_AFTER_RULE_S if isinstance(of, AnomalyKind) else _CALM_S
            if time_s - on.over_s >= calm_s:
                if on.anomaly is not None:
                    on.anomaly.end_s = max(on.anomaly.end_s, on.over_s)
                del self._on[of]

    def _is_over(self, anomaly: OpenAnomaly) -> bool:
        alive = [of for of, on in self._on.items() if on.anomaly is anomaly]
        if anomaly.exact and anomaly.kind not in _OUTLASTS_RULE:  # what detectors make of it does not keep it open
            return not any(isinstance(of, AnomalyKind) for of in alive)
        return not alive

    def _close(self, anomaly: OpenAnomaly, time_s: float) -> None:
        self._open.remove(anomaly)
        for on in self._on.values():
            if on.anomaly is anomaly:
                on.anomaly, on.since_s = None, time_s

    def _updated(self, anomaly: OpenAnomaly, time_s: float, namer: Namer) -> list[Change]:
        due = anomaly.named < len(_NAMED_AFTER_S) and time_s - anomaly.raised_s >= _NAMED_AFTER_S[anomaly.named]
        if due:
            anomaly.named += 1
            if not anomaly.exact:
                kind, units, anomaly.since_s = namer(
                    anomaly.since_s, tuple(anomaly.signs.values()), anomaly.named < len(_NAMED_AFTER_S)
                )
                if kind is not AnomalyKind.UNUSUAL or anomaly.kind is AnomalyKind.UNUSUAL:  # what was known stays so
                    anomaly.kind, anomaly.units = kind, units
        now = (anomaly.kind, anomaly.units, min(anomaly.severity, RAREST))
        if anomaly.emitted is None:
            anomaly.emitted, anomaly.emitted_s = now, time_s
            return [Change("raised", anomaly)]
        news = now[:2] != anomaly.emitted[:2]
        worse = now[2] >= anomaly.emitted[2] + _WORSE and time_s - anomaly.emitted_s >= _LEAST_INTERVAL_S
        if not (news or worse):
            return []
        anomaly.emitted, anomaly.emitted_s = now, time_s
        return [Change("updated", anomaly)]


def _add(anomaly: OpenAnomaly, sign: Sign) -> None:
    """Another sign of an anomaly, or the latest of one that it has."""
    anomaly.severity = max(anomaly.severity, sign.severity)
    known = anomaly.signs.get(sign.of)
    if isinstance(sign.of, AnomalyKind):
        units = sign.units if known is None else tuple(sorted({*known.units, *sign.units}))
        if known is None:
            anomaly.kind, anomaly.since_s = sign.of, min(anomaly.since_s, sign.since_s)
        anomaly.units = units
        sign = sign._replace(units=units)
    elif known is not None and known.severity > sign.severity:
        return
    anomaly.signs[sign.of] = sign
