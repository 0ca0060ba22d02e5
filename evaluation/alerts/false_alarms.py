"""Alarms where nothing is wrong: so many as were stated? And do they come when actions change?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from evaluation.alerts.alarms import WARM_S, alarm_times, threshold_for, within
from evaluation.alerts.faults import EXACT_KINDS
from evaluation.alerts.results import BUDGETS, MIDDLE, SetResult
from evaluation.alerts.sets import SETS
from evaluation.alerts.stream import AlertStream

NEAR_S = 1.0
MANY_PER_HOUR = 240.0  # so many alarms an hour there must be to see where they come


@dataclass(frozen=True)
class Realised:
    """Alarms of some streams.

    Attributes:
        name: For people.
        hours: How long the streams are, all together.
        alarms: By budget, how many there were.
        most: By budget, how many there were in the stream with the most.
        called: How many of those of the middle budget were called what, most often first.
    """

    name: str
    hours: float
    alarms: dict[float, int]
    most: dict[float, int]
    called: dict[str, int]

    def ratio(self, per_hour: float) -> float:
        """Alarms over those that were stated."""
        return self.alarms[per_hour] / (per_hour * self.hours)


def realised(name: str, results: Sequence[SetResult]) -> Realised | None:
    """Of all streams of some sets, of their beginning too; None if there are none."""
    counts: dict[float, list[int]] = {
        per_hour: [len(at_s) for result in results for _, at_s in result.stated_alarms(per_hour)]
        for per_hour in BUDGETS
    }
    hours = [stream.hours for result in results for stream in result.streams]
    if not hours:
        return None
    named = Counter(
        alarm.kind
        for result in results
        for stream, watched in zip(result.streams, result.stated[MIDDLE], strict=True)
        for alarm in watched.clean.alarms
        if not within(np.array([alarm.at_s]), stream.ignore)[0]
    )
    return Realised(
        name,
        sum(hours),
        {a: sum(c) for a, c in counts.items()},
        {a: max(c) for a, c in counts.items()},
        dict(named.most_common()),
    )


def by_row(results: Sequence[SetResult]) -> dict[str, Realised]:
    """By row of the table of false alarms, for those whose sets were run."""
    rows = dict.fromkeys(each.false_alarms for each in SETS.values() if each.false_alarms)
    found = {row: realised(row, [r for r in results if SETS[r.name].false_alarms == row]) for row in rows}
    return {row: each for row, each in found.items() if each is not None}


def exact_false(results: Sequence[SetResult]) -> int:
    """False alarms of the kinds that a rule can tell, where nothing is wrong and frames are not all equal."""
    return sum(
        alarm.kind in EXACT_KINDS
        for result in results
        if not SETS[result.name].has_events
        for stream, watched in zip(result.streams, result.stated[MIDDLE], strict=True)
        if np.ptp(stream.values, axis=0).any()
        for alarm in watched.clean.alarms
    )


@dataclass(frozen=True)
class NearBoundaries:
    """Where alarms are, with respect to the boundaries between actions.

    Attributes:
        alarms: How many there are.
        near: How many of them lie within `NEAR_S` of a boundary.
        chance: The share of the time that does.
    """

    alarms: int
    near: int
    chance: float

    @property
    def p(self) -> float:
        """How likely chance alone has so many near boundaries, or more; 1 without alarms."""
        if not self.alarms:
            return 1.0
        return float(binomtest(self.near, self.alarms, self.chance, alternative="greater").pvalue)


def near_boundaries(result: SetResult) -> tuple[NearBoundaries, NearBoundaries] | None:
    """Of the alarms as raised at the highest budget, and of those of a threshold that raises `MANY_PER_HOUR`; None
    where boundaries are not known."""
    streams = [stream for stream in result.streams if stream.boundaries_s]
    if not streams:
        return None
    raised = [at_s for stream, at_s in result.stated_alarms(BUDGETS[-1]) if stream.boundaries_s]
    scores = [each.clean.scores for each in result.stated[MIDDLE]]
    threshold = threshold_for(result.streams, scores, MANY_PER_HOUR)
    many = [
        alarm_times(stream.times, each, threshold)
        for stream, each in zip(result.streams, scores, strict=True)
        if stream.boundaries_s
    ]
    return _near(streams, raised), _near(streams, many)


def _near(streams: Sequence[AlertStream], alarms: Sequence[np.typing.NDArray[np.float64]]) -> NearBoundaries:
    counted, near, time_near, time_all = 0, 0, 0, 0
    for stream, at_s in zip(streams, alarms, strict=True):
        spans = [(boundary - NEAR_S, boundary + NEAR_S) for boundary in stream.boundaries_s]
        looked_at = (stream.times >= WARM_S) & ~within(stream.times, stream.unlabelled)
        kept = at_s[(at_s >= WARM_S) & ~within(at_s, stream.unlabelled)]
        counted += len(kept)
        near += int(within(kept, spans).sum())
        time_near += int((within(stream.times, spans) & looked_at).sum())
        time_all += int(looked_at.sum())
    return NearBoundaries(counted, near, time_near / max(time_all, 1))
