"""Real events: how many a method finds at its best threshold, and how well its score tells them from the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sklearn.metrics import average_precision_score

from evaluation.alerts.alarms import WARM_S, alarm_times, normal_hours, within
from evaluation.alerts.results import BUDGETS, OURS, SetResult
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.vus import vus_pr
from evaluation.alerts.watch import Watched

EDGES_S = np.linspace(0.0, 4.0, 9)


@dataclass(frozen=True)
class EventScore:
    """Of one method on a set with events.

    Attributes:
        method: Its name.
        found: By alarms an hour, the share of events with an alarm; at the best threshold.
        stated: The same as raised at a budget that was stated, and the false alarms an hour with it; ours only.
        auc_pr: Average precision of the samples.
        vus_pr: See `vus_pr`, with edges up to 4 s.
    """

    method: str
    found: dict[float, float]
    stated: dict[float, tuple[float, float]]
    auc_pr: float
    vus_pr: float


@lru_cache(maxsize=8)  # for targets and tables
def event_scores(result: SetResult) -> list[EventScore]:
    """Of every method, ours first."""
    scores = []
    for method, watched in result.methods.items():
        found = {a: _found_by_score(result, watched, result.thresholds[method, a]) for a in BUDGETS}
        stated = {a: _stated(result, a) for a in BUDGETS} if method == OURS else {}
        scores.append(EventScore(method, found, stated, *_areas(result.streams, watched)))
    return scores


def _found_by_score(result: SetResult, watched: Sequence[Watched], threshold: float) -> float:
    times = [alarm_times(s.times, w.clean.scores, threshold) for s, w in zip(result.streams, watched, strict=True)]
    return _share_found(result.streams, times)


def _stated(result: SetResult, per_hour: float) -> tuple[float, float]:
    pairs = result.stated_alarms(per_hour)
    false = sum(int((~within(at_s, stream.events) & (at_s >= WARM_S)).sum()) for stream, at_s in pairs)
    return _share_found(result.streams, [at_s for _, at_s in pairs]), false / sum(map(normal_hours, result.streams))


def _share_found(streams: Sequence[AlertStream], alarms: Sequence[np.typing.NDArray[np.float64]]) -> float:
    found = [
        bool(((at_s >= start) & (at_s <= stop)).any())
        for stream, at_s in zip(streams, alarms, strict=True)
        for start, stop in stream.events
    ]
    return float(np.mean(found))


def _areas(streams: Sequence[AlertStream], watched: Sequence[Watched]) -> tuple[float, float]:
    scores, inside = [], []
    for stream, each in zip(streams, watched, strict=True):
        kept = (stream.times >= WARM_S) & ~within(stream.times, stream.ignore)
        finite = np.nan_to_num(each.clean.scores, neginf=-1e3, posinf=1e3)
        scores.append(finite[kept])
        inside.append(within(stream.times, stream.events)[kept])
    all_scores, all_inside = np.concatenate(scores), np.concatenate(inside)
    widths = np.round(EDGES_S * streams[0].recording.rate).astype(np.int64)
    area = float(average_precision_score(all_inside, all_scores))
    return area, vus_pr(all_scores, all_inside, widths)
