"""How many false alarms an hour are allowed, and the bar that holds to it whatever the stream is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kineseg_core.errors import OutOfRange
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps
from kineseg_core.kernels import kernel

LEAST_PER_HOUR, MOST_PER_HOUR = 0.01, 1000.0
"""Within which a budget lies."""
_STEP = 1.0
"""Nats by which an alarm raises the bar."""


@dataclass(frozen=True)
class AnomalyBudget:
    """The one setting.

    Attributes:
        alarms_per_hour: Alarms an hour that may be false.
    """

    alarms_per_hour: float = 2.0

    def __post_init__(self) -> None:
        if not LEAST_PER_HOUR <= self.alarms_per_hour <= MOST_PER_HOUR:
            raise OutOfRange(
                f"alarms_per_hour: is {self.alarms_per_hour}; expected {LEAST_PER_HOUR:g} to {MOST_PER_HOUR:g}",
                field="alarms_per_hour",
                minimum=LEAST_PER_HOUR,
                maximum=MOST_PER_HOUR,
            )


@within("numbers may be -inf")
@keeps("numbers")
class AlarmBar:
    """The severity from which on an alarm is raised. Picklable.

    It lies at what comes so often as the budget allows. Every alarm raises it by a nat, and it sinks back by as many
    nats an hour as alarms are allowed: t hours have at most A t + s + ln A + 1 alarms, s being the highest severity,
    whatever the stream is and however wrong the severities are.

    Args:
        per_hour: How many alarms an hour are allowed.

    Attributes:
        numbers: ``(4,)`` for `level_of`: nats at which it rests, nats a second by which it sinks, nats above its rest
            after the last alarm, and when that was.
    """

    def __init__(self, per_hour: float) -> None:
        rest = -math.log(per_hour)
        self.numbers = np.array([rest, _STEP * per_hour / 3600.0, 0.0, -math.inf])

    def level(self, time_s: float) -> float:
        """Where it is, nats, at a time after the last alarm."""
        return float(level_of(self.numbers, time_s))

    def raise_by_alarm(self, time_s: float) -> None:
        """An alarm is raised."""
        self.numbers[2:] = self.level(time_s) - self.numbers[0] + _STEP, time_s


@kernel(inlined=True)
def level_of(bar, time_s):  # type: ignore[no-untyped-def]
    """Where an `AlarmBar` is at a time, given its numbers."""
    return bar[0] + max(0.0, bar[2] - bar[1] * (time_s - bar[3]))
