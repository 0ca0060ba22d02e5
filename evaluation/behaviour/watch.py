"""Runs the monitor over simulated work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.events import AnomalyRaised
from kineseg_core.intake.watch import Place

from evaluation.behaviour.work import Task

_RATE_HZ = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its kind, since when, and when it was raised."""

    kind: str
    since_s: float
    raised_s: float


def reports_of_work(tasks: Sequence[Task], per_hour: float) -> list[Report]:
    """What is reported of someone's work at that budget."""
    monitor = BehaviourMonitor(per_hour)
    found: list[Report] = []
    frame, last = 0, tasks[-1]
    for task in tasks:
        monitor.begins(task.label, "", _place(task.start_s))
        while frame / _RATE_HZ < task.known_s:
            found += _raised(monitor, _place(frame / _RATE_HZ))
            frame += 1
        now = _place(task.known_s)
        monitor.ends(task.label, "", _place(task.start_s), _place(task.end_s), now, cut=task is last)
        found += _raised(monitor, now)
    return found


def _raised(monitor: BehaviourMonitor, now: Place) -> list[Report]:
    return [
        Report(each.detail.anomaly_kind.value, each.time_ns / 1e9, each.decided_ns / 1e9)
        for each in monitor.settle(now)
        if isinstance(each.detail, AnomalyRaised)
    ]


def _place(time_s: float) -> Place:
    return round(time_s * _RATE_HZ), round(time_s * 1e9)
