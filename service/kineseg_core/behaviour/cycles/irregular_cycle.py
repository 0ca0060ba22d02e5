"""A repeated movement whose period, size or regularity leaves what it was."""

from __future__ import annotations

import math

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.behaviour.cycles.window import Window
from kineseg_core.behaviour.finding import Finding, seconds, spoken
from kineseg_core.behaviour.history import LabelHistory
from kineseg_core.behaviour.rarity import Rarity
from kineseg_core.kept.declared import keeps

_LEAST, _MEMORY, _ALIKE = 20, 400, 3
_PERIOD_SPREAD, _SIZE_SPREAD, _REGULARITY_SPREAD = 0.1, 0.2, 0.3
_REPEATS = math.atanh(0.5)
"""Mean regularity from which on an action is one of repetitions."""


@keeps("_rarity _period _size _regularity")
class IrregularCycle:
    """Judges windows. Picklable.

    Args:
        share: Of the budget.
    """

    def __init__(self, share: float) -> None:
        self._rarity = Rarity(share)
        self._period = LabelHistory(_PERIOD_SPREAD, least=_LEAST, memory=_MEMORY, alike=_ALIKE)
        self._size = LabelHistory(_SIZE_SPREAD, least=_LEAST, memory=_MEMORY, alike=_ALIKE)
        self._regularity = LabelHistory(_REGULARITY_SPREAD, least=_LEAST, memory=_MEMORY, alike=_ALIKE)

    def judge(self, label: int, name: str, window: Window) -> Finding | None:
        """What there is to say of a window within an action; None: too little is known, or it does not repeat."""
        likely = self._likely(label, window)
        if likely is None:
            return None
        probability, aspect, what = min(likely)
        nats = self._rarity.nats(min(1.0, len(likely) * probability), seconds(window.end))
        return Finding(AnomalyKind.IRREGULAR_CYCLE, nats, window.start, f"{spoken(label, name)} {what}", (), aspect)

    def count(self, label: int, window: Window) -> None:
        """How improbable a window is counts, before it is learnt."""
        likely = self._likely(label, window)
        if likely is not None:
            self._rarity.learn(min(1.0, len(likely) * min(likely)[0]), seconds(window.end))

    def learn(self, label: int, window: Window) -> None:
        """Takes a window as one of its label."""
        self._regularity.learn(label, window.regularity)
        self._size.learn(label, window.size)
        if window.period_s is not None:
            self._period.learn(label, math.log(window.period_s))

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        for history in (self._period, self._size, self._regularity):
            history.merge(label, into)

    def _likely(self, label: int, window: Window) -> list[tuple[float, str, str]] | None:
        """How likely each number is farther off, with what it is and a phrase about it."""
        regular, sizes, periods = (each.usual(label) for each in (self._regularity, self._size, self._period))
        if regular is None or sizes is None or periods is None or regular[0] < _REPEATS:
            return None
        less_regular = self._regularity.below(label, window.regularity)
        other_size = self._size.beyond(label, window.size)
        assert less_regular is not None
        assert other_size is not None
        times = math.exp(window.size - sizes[0])
        found = [
            (less_regular, "regularity", "does not repeat as regularly as usual"),
            (other_size, "size", f"with movements {times:.2f} times as large as usual"),
        ]
        if window.period_s is not None:
            other_period = self._period.beyond(label, math.log(window.period_s))
            assert other_period is not None
            low, high = math.exp(periods[1]), math.exp(periods[2])
            said = f"repeats every {window.period_s:.2f} s, usually every {low:.2f} to {high:.2f} s"
            found.append((other_period, "period", said))
        return found
