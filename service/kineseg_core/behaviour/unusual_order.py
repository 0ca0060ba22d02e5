"""An action after another that it does not usually follow."""

from __future__ import annotations

from collections import Counter, OrderedDict

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.behaviour.finding import Action, Finding, seconds, spoken
from kineseg_core.behaviour.rarity import Rarity
from kineseg_core.kept.declared import keeps

_MOST_LABELS = 128
_LEAST = 5
"""Actions that must have followed one until it is known what does."""
_MOST_COUNT = 500
_ESCAPE_WEIGHT = 5.0


@keeps("_rarity _after _times _names _last")
class UnusualOrder:
    """Judges which action follows which. Picklable.

    The probability of an action given the one before it is smoothed towards how often it comes at all, by as much as is
    left for what was not seen (Good, 1953; Chen and Goodman, An empirical study of smoothing techniques, 1999). What is
    judged is how likely an action at most as probable comes.

    Args:
        share: Of the budget.
    """

    _after: OrderedDict[int, Counter[int]]
    _times: Counter[int]
    _names: dict[int, str]
    _last: Action | None

    def __init__(self, share: float) -> None:
        self._rarity = Rarity(share)
        self._after = OrderedDict()
        self._times = Counter()
        self._names = {}
        self._last = None

    def ended(self, action: Action) -> Finding | None:
        """What there is to say of an action that is over, which is learnt; None: too little is known."""
        last, self._last = self._last, action
        self._names[action.label] = action.name
        finding = None
        if last is not None:
            likely = self._at_most_as_probable(last.label, action.label)
            if likely is not None:
                now_s = seconds(action.known)
                nats = self._rarity.nats(likely, now_s)
                finding = Finding(AnomalyKind.UNUSUAL_ORDER, nats, action.start, self._text(last, action))
                self._rarity.learn(likely, now_s)
            self._learn(last.label, action.label)
        self._times[action.label] += 1
        return finding

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        for after in self._after.values():
            if label in after:
                after[into] += after.pop(label)
        gone = self._after.pop(label, None)
        if gone is not None:
            self._after.setdefault(into, Counter()).update(gone)
        self._times[into] += self._times.pop(label, 0)
        self._names.pop(label, None)

    def interrupt(self) -> None:
        """What comes next follows nothing."""
        self._last = None

    def _at_most_as_probable(self, before: int, label: int) -> float | None:
        after = self._after.get(before)
        if after is None or after.total() < _LEAST or not self._times[label]:
            return None  # what is new has a kind of its own
        transitions = sum(each.total() for each in self._after.values())
        single = sum(sum(times == 1 for times in each.values()) for each in self._after.values())
        escapes = (single + 0.5) / (transitions + 1.0)
        once = sum(times == 1 for times in after.values())
        escape = (once + _ESCAPE_WEIGHT * escapes) / (after.total() + _ESCAPE_WEIGHT)
        seen, all_seen = after.total(), self._times.total()
        probable = {
            each: (1.0 - escape) * after[each] / seen + escape * times / all_seen for each, times in self._times.items()
        }
        return sum(each for each in probable.values() if each <= probable[label] * (1.0 + 1e-9))

    def _text(self, last: Action, action: Action) -> str:
        (usual, _), *_ = self._after[last.label].most_common(1)
        said = spoken(usual, self._names.get(usual, ""))
        return f"{action.spoken} after {last.spoken}, which {said} usually follows"

    def _learn(self, before: int, label: int) -> None:
        after = self._after.setdefault(before, Counter())
        self._after.move_to_end(before)
        if len(self._after) > _MOST_LABELS:
            forgotten, _ = self._after.popitem(last=False)
            self._times.pop(forgotten, None)
            self._names.pop(forgotten, None)
        after[label] += 1
        if after.total() > _MOST_COUNT:
            for each in tuple(after):
                after[each] -= after[each] // 2 if after[each] > 1 else 1
                if not after[each]:
                    del after[each]
