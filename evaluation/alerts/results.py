"""What came out: of every method on a set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evaluation.alerts.alarms import alarm_times, threshold_for, within
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.trials import GRACE_S, Trial
from evaluation.alerts.watch import Alarm, Watched

Array = NDArray[np.float64]

BUDGETS = (2.0, 6.0, 30.0)
"""Alarms an hour at which everything is compared."""
MIDDLE = 6.0
OURS = "kineseg"
_BEFORE_S = 10.0


@dataclass(frozen=True, eq=False)
class Outcome:
    """One trial by one method.

    Attributes:
        trial: With its fault.
        at_s: When the first alarm about the fault was raised; None: never.
        alarm: What was said then, if the method says more than that.
    """

    trial: Trial
    at_s: float | None
    alarm: Alarm | None = None

    @property
    def found(self) -> bool:
        """Whether there was an alarm."""
        return self.at_s is not None


@dataclass(frozen=True, eq=False)
class SetResult:
    """All about one set.

    Attributes:
        name: Of the set.
        streams: Its streams.
        trials: Of each stream.
        stated: What our monitor made of each stream, by its budget.
        peers: What each peer made of each stream, by its name.
    """

    name: str
    streams: tuple[AlertStream, ...]
    trials: tuple[tuple[Trial, ...], ...]
    stated: Mapping[float, Sequence[Watched]]
    peers: Mapping[str, Sequence[Watched]]

    @property
    def hours(self) -> float:
        """How long the streams are."""
        return sum(stream.hours for stream in self.streams)

    @property
    def methods(self) -> dict[str, Sequence[Watched]]:
        """Ours and the peers, by name, for thresholds chosen afterwards: the severity of the middle budget is ours."""
        return {OURS: self.stated[MIDDLE], **self.peers}

    @cached_property
    def thresholds(self) -> dict[tuple[str, float], float]:
        """By method and alarms an hour, the best threshold on these streams as they are, see `threshold_for`."""
        return {
            (name, per_hour): threshold_for(self.streams, [each.clean.scores for each in watched], per_hour)
            for name, watched in self.methods.items()
            for per_hour in BUDGETS
        }

    @cached_property
    def stated_outcomes(self) -> dict[float, list[Outcome]]:
        """By budget, every trial by our monitor, which decides by itself."""
        return {per_hour: self._stated_outcomes(per_hour) for per_hour in BUDGETS}

    @cached_property
    def best_outcomes(self) -> dict[tuple[str, float], list[Outcome]]:
        """By method and alarms an hour, every trial at the best threshold."""
        return {(name, per_hour): self._best_outcomes(name, at) for (name, per_hour), at in self.thresholds.items()}

    def _stated_outcomes(self, per_hour: float) -> list[Outcome]:
        found = []
        for trials, watched in zip(self.trials, self.stated[per_hour], strict=True):
            for trial, seen in zip(trials, watched.faulty, strict=True):
                first = next((a for a in seen.alarms if _is_about(trial, a.at_s)), None)
                found.append(Outcome(trial, None if first is None else first.at_s, first))
        return found

    def _best_outcomes(self, method: str, threshold: float) -> list[Outcome]:
        found = []
        for stream, trials, watched in zip(self.streams, self.trials, self.methods[method], strict=True):
            for trial, seen in zip(trials, watched.faulty, strict=True):
                # From a while before the fault on, so that an alarm that goes on is not a new one.
                since = int(np.searchsorted(stream.times, trial.start_s - _BEFORE_S))
                times = np.concatenate([stream.times[since : trial.first], trial.times])
                scores = np.concatenate([watched.clean.scores[since : trial.first], seen.scores])
                about = [at_s for at_s in alarm_times(times, scores, threshold).tolist() if _is_about(trial, at_s)]
                found.append(Outcome(trial, about[0] if about else None))
        return found

    def stated_alarms(self, per_hour: float) -> list[tuple[AlertStream, Array]]:
        """Streams with the times of the alarms that our monitor raised at a budget, those that are ignored left out."""
        pairs = []
        for stream, watched in zip(self.streams, self.stated[per_hour], strict=True):
            at_s = np.array([alarm.at_s for alarm in watched.clean.alarms])
            pairs.append((stream, at_s[~within(at_s, stream.ignore)]))
        return pairs


def _is_about(trial: Trial, at_s: float) -> bool:
    return trial.start_s - 1e-6 <= at_s <= trial.stop_s + GRACE_S + 1e-6
