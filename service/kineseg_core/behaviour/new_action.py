"""An action that was never seen before in its stream."""

from __future__ import annotations

import math
from collections import OrderedDict

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.behaviour.finding import Action, Finding, seconds
from kineseg_core.kept.declared import keeps

_MOST_LABELS = 256
_LEAST_ACTIONS = 10


@keeps("_times _actions _since_s", fixed="_share")
class NewAction:
    """Judges whether a label that is new is news. Picklable.

    How often new labels come is estimated by how many have come but once (Good, The population frequencies of
    species, Biometrika 40, 1953): in a stream whose labels all have come again, a new one is rare.

    Args:
        share: Of the budget.
    """

    _times: OrderedDict[int, int]
    _since_s: float | None

    def __init__(self, share: float) -> None:
        self._share = share
        self._times = OrderedDict()
        self._actions = 0
        self._since_s = None

    def ended(self, action: Action) -> Finding | None:
        """What there is to say of an action that is over, which is learnt; None: it is not new, or much is."""
        now_s = seconds(action.known)
        if self._since_s is None:
            self._since_s = seconds(action.start)
        is_new = action.label not in self._times
        finding = None
        if is_new and self._actions >= _LEAST_ACTIONS:
            once = sum(times == 1 for times in self._times.values())
            per_hour = (once + 0.5) * 3600.0 / (now_s - self._since_s)
            lasted_s = seconds(action.end) - seconds(action.start)
            text = f"{action.spoken}, which was never seen before, for {lasted_s:.1f} s"
            finding = Finding(AnomalyKind.NEW_ACTION, -math.log(per_hour / self._share), action.start, text)
        self._actions += 1
        self._times[action.label] = self._times.get(action.label, 0) + 1
        self._times.move_to_end(action.label)
        if len(self._times) > _MOST_LABELS:
            self._times.popitem(last=False)
        return finding

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        gone = self._times.pop(label, 0)
        if gone:
            self._times[into] = self._times.get(into, 0) + gone
