"""How long actions of a label usually last: what both long and short ones are judged by."""

from __future__ import annotations

import math

from kineseg_core.behaviour.history import LabelHistory
from kineseg_core.kept.declared import keeps

_SPREAD = 0.3
_LEAST, _MEMORY = 5, 200


@keeps("_history")
class Lengths:
    """Logarithms of seconds, within each label. Picklable."""

    def __init__(self) -> None:
        self._history = LabelHistory(_SPREAD, least=_LEAST, memory=_MEMORY)

    @property
    def knows_any(self) -> bool:
        """Whether enough actions of any label have come."""
        return self._history.knows_any

    def longer(self, label: int, length_s: float) -> float | None:
        """How likely the next action of a label lasts longer; None: too few have come."""
        return self._history.above(label, _log(length_s))

    def shorter(self, label: int, length_s: float) -> float | None:
        """How likely it is over sooner; None: too few have come."""
        return self._history.below(label, _log(length_s))

    def usual(self, label: int) -> str:
        """The usual length in words."""
        known = self._history.usual(label)
        if known is None:
            return ""
        _, low, high = map(math.exp, known)
        digits = 0 if low >= 10.0 else 1
        return f"usually {low:.{digits}f} to {high:.{digits}f} s"

    def learn(self, label: int, length_s: float) -> None:
        """Takes the length of an action that is over."""
        self._history.learn(label, _log(length_s))

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        self._history.merge(label, into)


def _log(length_s: float) -> float:
    return math.log(max(length_s, 1e-3))
