"""An action that goes on for longer than those of its label did."""

from __future__ import annotations

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.behaviour.finding import Action, Finding, OpenAction, seconds
from kineseg_core.behaviour.lengths import Lengths
from kineseg_core.behaviour.rarity import Rarity
from kineseg_core.intake.watch import Place
from kineseg_core.kept.declared import keeps


@keeps("_lengths _rarity")
class LongAction:
    """Judges actions while they go on. Picklable.

    What is compared is the time from an action's beginning until it is known that it is over: of one that goes on, no
    more is known.

    Args:
        share: Of the budget.
    """

    def __init__(self, share: float) -> None:
        self._lengths = Lengths()
        self._rarity = Rarity(share)

    @property
    def knows_any(self) -> bool:
        """Whether enough is known of any label."""
        return self._lengths.knows_any

    def going_on(self, action: OpenAction, now: Place) -> Finding | None:
        """What there is to say of an action that goes on; None: too little is known of its label."""
        nats = self._nats(action, now)
        if nats is None:
            return None
        lasted_s = seconds(now) - seconds(action.start)
        text = f"{action.spoken} goes on for {lasted_s:.1f} s, {self._lengths.usual(action.label)}"
        return Finding(AnomalyKind.LONG_ACTION, nats, action.start, text)

    def ended(self, action: Action) -> Finding | None:
        """What there is to say of an action that is over."""
        nats = self._nats(action, action.known)
        if nats is None:
            return None
        return Finding(AnomalyKind.LONG_ACTION, nats, action.start, self.summed_up(action))

    def summed_up(self, action: Action) -> str:
        """The sentence about an action that was long."""
        lasted_s = seconds(action.end) - seconds(action.start)
        usual = self._lengths.usual(action.label)
        return f"{action.spoken} went on for {lasted_s:.1f} s{', ' if usual else ''}{usual}"

    def learn(self, action: Action) -> None:
        """Takes an action that is over."""
        known_s = seconds(action.known)
        lasted_s = known_s - seconds(action.start)
        likely = self._lengths.longer(action.label, lasted_s)
        if likely is not None:
            self._rarity.learn(likely, known_s)
        self._lengths.learn(action.label, lasted_s)

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        self._lengths.merge(label, into)

    def _nats(self, action: OpenAction | Action, now: Place) -> float | None:
        likely = self._lengths.longer(action.label, seconds(now) - seconds(action.start))
        return None if likely is None else self._rarity.nats(likely, seconds(now))
