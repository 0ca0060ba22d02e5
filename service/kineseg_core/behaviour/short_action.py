"""An action that is over sooner than those of its label were."""

from __future__ import annotations

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.behaviour.finding import Action, Finding, seconds
from kineseg_core.behaviour.lengths import Lengths
from kineseg_core.behaviour.rarity import Rarity
from kineseg_core.kept.declared import keeps


@keeps("_lengths _rarity")
class ShortAction:
    """Judges actions when they are over. Picklable.

    Args:
        share: Of the budget.
    """

    def __init__(self, share: float) -> None:
        self._lengths = Lengths()
        self._rarity = Rarity(share)

    def ended(self, action: Action) -> Finding | None:
        """What there is to say of an action that is over, which is learnt; None: too little is known of its label."""
        lasted_s, now_s = seconds(action.end) - seconds(action.start), seconds(action.known)
        likely = self._lengths.shorter(action.label, lasted_s)
        finding = None
        if likely is not None:
            text = f"{action.spoken} was over after {lasted_s:.1f} s, {self._lengths.usual(action.label)}"
            finding = Finding(AnomalyKind.SHORT_ACTION, self._rarity.nats(likely, now_s), action.start, text)
            self._rarity.learn(likely, now_s)
        self._lengths.learn(action.label, lasted_s)
        return finding

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        self._lengths.merge(label, into)
