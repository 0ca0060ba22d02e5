"""What a number usually is within each label of a stream: a Student t of what came, whose spread labels share."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

from kineseg_core.behaviour.student import above
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps, record

_MOST_LABELS = 128
_PRIOR_DEGREES = 4.0
_FARTHEST = 3.0
"""Spreads: something farther off is learnt as if it were that far, so that one strange number is not the usual."""


@within("0 <= count", "0 <= squares")
@record
@dataclass(slots=True)
class _Label:
    """Numbers of one label: how many, their mean, and the sum of squares about it."""

    count: float = 0.0
    mean: float = 0.0
    squares: float = 0.0


@within("0 <= _squares", "0 <= _degrees")
@keeps("knows_any _labels _squares _degrees", fixed="_spread _least _memory _alike")
class LabelHistory:
    """How a number is distributed within each label. Picklable, of bounded size.

    The predictive distribution of a normal one with unknown mean and variance: the mean is the label's own, and for
    the variance what the stream's labels have in common is a prior. (Gelman et al., Bayesian Data Analysis, 3.3.)

    Args:
        spread: Standard deviation of the number within a label, as long as nothing is known.
        least: Of so many numbers a label's history is one.
        memory: Over about so many numbers of a label it reaches back.
        alike: So many numbers in a row say no more than one.

    Attributes:
        knows_any: Whether enough numbers of any label have come.
    """

    _labels: OrderedDict[int, _Label]

    def __init__(self, spread: float, *, least: int, memory: int, alike: int = 1) -> None:
        self._spread = spread
        self._least = least
        self._memory = memory
        self._alike = alike
        self.knows_any = False
        self._labels = OrderedDict()
        self._squares = self._degrees = 0.0  # within all labels

    def above(self, label: int, value: float) -> float | None:
        """How likely the next number of a label is above `value`; None: too little is known of it."""
        known = self._known(label)
        return None if known is None else above((value - known[0]) / known[1], known[2])

    def below(self, label: int, value: float) -> float | None:
        """How likely it is below."""
        known = self._known(label)
        return None if known is None else above((known[0] - value) / known[1], known[2])

    def beyond(self, label: int, value: float) -> float | None:
        """How likely it is farther off, on either side."""
        known = self._known(label)
        return None if known is None else 2.0 * above(abs(value - known[0]) / known[1], known[2])

    def usual(self, label: int) -> tuple[float, float, float] | None:
        """Mean and limits of the middle nine tenths, about: what is said to be usual."""
        known = self._known(label)
        if known is None:
            return None
        mean, scale, _ = known
        return mean, mean - 1.7 * scale, mean + 1.7 * scale

    def learn(self, label: int, value: float) -> None:
        """Takes the next number of a label."""
        known = self._known(label)
        if known is not None:
            mean, scale, _ = known
            value = min(max(value, mean - _FARTHEST * scale), mean + _FARTHEST * scale)
        one = self._labels.setdefault(label, _Label())
        self._labels.move_to_end(label)
        if len(self._labels) > _MOST_LABELS:
            self._labels.popitem(last=False)
        if one.count >= self._memory:
            one.squares *= (self._memory - 1) / one.count
            one.count = self._memory - 1.0
        one.count += 1.0
        self.knows_any |= one.count >= self._least
        off = value - one.mean
        one.mean += off / one.count
        square = off * (value - one.mean)
        one.squares += square
        if one.count > 1.0:
            self._share(square)

    def merge(self, label: int, into: int) -> None:
        """Both labels were one."""
        gone = self._labels.pop(label, None)
        if gone is None:
            return
        one = self._labels.setdefault(into, _Label())
        count = one.count + gone.count
        off = gone.mean - one.mean
        one.squares += gone.squares + off * off * one.count * gone.count / count
        one.mean += off * gone.count / count
        one.count = count

    def _share(self, square: float) -> None:
        kept = 1.0 - 1.0 / (4 * self._memory)
        self._squares = kept * self._squares + square
        self._degrees = kept * self._degrees + 1.0

    def _known(self, label: int) -> tuple[float, float, int] | None:
        """Mean, scale and degrees of freedom of a label's next number."""
        one = self._labels.get(label)
        if one is None or one.count < self._least:
            return None
        prior = _PRIOR_DEGREES * self._alike
        shared = (prior * self._spread**2 + self._squares) / (prior + self._degrees)
        variance = (prior * shared + one.squares) / (prior + one.count - 1.0)
        scale = math.sqrt(variance * (1.0 + self._alike / one.count))
        return one.mean, scale, int(_PRIOR_DEGREES + (one.count - 1.0) / self._alike)
