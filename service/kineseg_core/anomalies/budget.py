"""How many false alarms an hour are allowed, and the bar that holds to it whatever the stream is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kineseg_core.errors import OutOfRange

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


class AlarmBar:
    """The severity from which on an alarm is raised. Picklable.

    It lies at what comes so often as the budget allows. Every alarm raises it by a nat, and it sinks back by as many
    nats an hour as alarms are allowed: t hours have at most A t + s + ln A + 1 alarms, s being the highest severity,
    whatever the stream is and however wrong the severities are.

    Args:
        budget: What is allowed.
    """

    def __init__(self, budget: AnomalyBudget) -> None:
        self._least = -math.log(budget.alarms_per_hour)
        self._sinks_per_s = _STEP * budget.alarms_per_hour / 3600.0
        self._above = 0.0
        self._at_s: float | None = None

    def level(self, time_s: float) -> float:
        """Where it is now, nats; `time_s` never decreases."""
        if self._at_s is not None:
            self._above = max(0.0, self._above - self._sinks_per_s * (time_s - self._at_s))
        self._at_s = time_s
        return self._least + self._above

    def raise_by_alarm(self) -> None:
        """An alarm has been raised at the time of the last `level`."""
        self._above += _STEP
