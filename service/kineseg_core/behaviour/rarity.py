"""How often something so improbable comes: once in how many hours."""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.kept.declared import keeps

_STEP, _STEPS = 0.25, 64  # nats
_PRIOR = 20.0
"""Tests that a model's probability is worth."""
_MEMORY = 1000.0
"""Tests back to which a stream's own ones count."""
_MEMORY_H = 1.0
_HURRY_H = 1.0 / 60.0


@keeps("_counts _tests _hours _lately _last_s", fixed="_share")
class Rarity:
    """From the probability that a model gives something to how often a stream has it. Picklable.

    A model's tail is never quite the stream's: labels are wrong now and then, and cuts are missed. What has come of
    such probability before, counted, corrects it, but only towards more often.

    Args:
        share: Of the budget.
    """

    _last_s: float | None

    def __init__(self, share: float) -> None:
        self._share = share
        self._counts = np.zeros(_STEPS)
        self._tests = 0.0
        self._hours = 0.0  # in which there were `_lately` tests
        self._lately = 0.0
        self._last_s = None

    def nats(self, probability: float, time_s: float) -> float:
        """Nats s: something so improbable comes once in e^s hours."""
        seen = float(self._counts[_bin(probability) :].sum())
        expected = max(probability, (_PRIOR * probability + seen) / (_PRIOR + self._tests))
        hours = self._hours + self._since(time_s) + _HURRY_H
        return -math.log(max(expected, 1e-12) * (self._lately + 1.0) / hours / self._share)

    def learn(self, probability: float, time_s: float) -> None:
        """Something was tested, and is over: it had this probability."""
        if self._tests >= _MEMORY:
            self._counts *= 1.0 - 1.0 / _MEMORY
            self._tests *= 1.0 - 1.0 / _MEMORY
        self._counts[_bin(probability)] += 1.0
        self._tests += 1.0
        since = self._since(time_s)
        kept = math.exp(-since / _MEMORY_H)
        self._hours = kept * self._hours + _MEMORY_H * (1.0 - kept)
        self._lately = kept * self._lately + 1.0
        self._last_s = time_s

    def begin(self, time_s: float) -> None:
        """From here on there could have been tests."""
        if self._last_s is None:
            self._last_s = time_s

    def _since(self, time_s: float) -> float:
        return 0.0 if self._last_s is None else max(0.0, time_s - self._last_s) / 3600.0


def _bin(probability: float) -> int:
    return min(_STEPS - 1, int(-math.log(max(probability, 1e-12)) / _STEP))
