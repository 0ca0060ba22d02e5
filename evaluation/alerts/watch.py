"""Lets a detector watch a stream, and every trial of it from where the fault begins."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evaluation.alerts.stream import AlertStream
from evaluation.alerts.trials import Trial

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Alarm:
    """An alarm of a detector that decides by itself.

    Attributes:
        at_s: When it was raised.
        kind: What it was called half a second later.
        units: The joints or channels that it named half a second later, the most suspect first.
    """

    at_s: float
    kind: str
    units: tuple[str, ...]


class Detector(Protocol):
    """What watches a stream; copied by `copy.deepcopy` where the stream branches.

    Attributes:
        alarms: Those so far, if it decides by itself; else it stays empty.
    """

    alarms: list[Alarm]

    def update(self, values: Array, times: Array) -> Array:
        """Takes the next frames, ``(n, J, 3)`` or ``(n, C)``, at ``(n,)`` seconds; gives their scores, ``(n,)``."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a detector made of frames that follow one another.

    Attributes:
        scores: ``(n,)`` of each frame.
        alarms: That it raised there.
    """

    scores: Array
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, eq=False)
class Watched:
    """What a detector made of a stream.

    Attributes:
        clean: Of the stream as it is.
        faulty: Of each trial, from the fault on.
        cpu_s: CPU time that the stream as it is took.
    """

    clean: Seen
    faulty: tuple[Seen, ...]
    cpu_s: float


def watch(detector: Detector, stream: AlertStream, trials: Sequence[Trial]) -> Watched:
    """A detector on a stream and its trials, which are in the order of their places."""
    values, times = stream.values, stream.times
    scores: list[Array] = []
    faulty: list[Seen] = []
    cpu_s, at = 0.0, 0
    for trial in trials:
        cpu_s += _advance(detector, values[at : trial.first], times[at : trial.first], scores)
        at = trial.first
        branch = copy.deepcopy(detector)
        known = len(branch.alarms)
        found = branch.update(trial.values, trial.times)
        faulty.append(Seen(found, tuple(branch.alarms[known:])))
    cpu_s += _advance(detector, values[at:], times[at:], scores)
    return Watched(Seen(np.concatenate(scores), tuple(detector.alarms)), tuple(faulty), cpu_s)


def _advance(detector: Detector, values: Array, times: Array, scores: list[Array]) -> float:
    before = time.process_time()
    if len(values):
        scores.append(detector.update(values, times))
    return time.process_time() - before
