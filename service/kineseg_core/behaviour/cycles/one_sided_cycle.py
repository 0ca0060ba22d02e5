"""One side moves less, or more, than it does in this action."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.behaviour.cycles.pairs import Pair
from kineseg_core.behaviour.cycles.window import Window
from kineseg_core.behaviour.finding import Finding, seconds, spoken
from kineseg_core.behaviour.history import LabelHistory
from kineseg_core.behaviour.rarity import Rarity
from kineseg_core.kept.declared import keeps

_LEAST, _MEMORY, _ALIKE = 20, 400, 3
_SPREAD = 0.15


@keeps("_rarity _histories", fixed="_pairs")
class OneSidedCycle:
    """Judges windows by the speeds of limbs. Picklable.

    Args:
        share: Of the budget.
        pairs: The limbs.
    """

    def __init__(self, share: float, pairs: Sequence[Pair]) -> None:
        self._rarity = Rarity(share)
        self._pairs = tuple(pairs)
        self._histories = [LabelHistory(_SPREAD, least=_LEAST, memory=_MEMORY, alike=_ALIKE) for _ in pairs]

    def judge(self, label: int, name: str, window: Window) -> Finding | None:
        """What there is to say of a window within an action; None: too little is known, or there are no pairs."""
        likely = self._likely(label, window)
        if likely is None:
            return None
        probability, k = likely
        nats = self._rarity.nats(probability, seconds(window.end))
        pair, usual = self._pairs[k], self._histories[k].usual(label)
        assert usual is not None
        now, before = math.exp(window.sides[k]), math.exp(usual[0])
        left, right = pair.said
        text = f"{left} {now:.2f} times as fast as {right} in {spoken(label, name)}, usually {before:.2f} times"
        return Finding(AnomalyKind.ONE_SIDED_CYCLE, nats, window.start, text, pair.units, pair.said[0])

    def count(self, label: int, window: Window) -> None:
        """How improbable a window is counts, before it is learnt."""
        likely = self._likely(label, window)
        if likely is not None:
            self._rarity.learn(likely[0], seconds(window.end))

    def learn(self, label: int, window: Window) -> None:
        """Takes a window as one of its label."""
        for history, side in zip(self._histories, window.sides, strict=True):
            history.learn(label, side)

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        for history in self._histories:
            history.merge(label, into)

    def _likely(self, label: int, window: Window) -> tuple[float, int] | None:
        """How likely the pair that is farthest off is farther off, and which it is."""
        found = [
            (probability, k)
            for k, (history, side) in enumerate(zip(self._histories, window.sides, strict=True))
            if (probability := history.beyond(label, side)) is not None
        ]
        if not found:
            return None
        probability, k = min(found)
        return min(1.0, len(found) * probability), k
