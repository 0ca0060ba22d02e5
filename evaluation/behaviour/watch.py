"""Runs the monitor over simulated work, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.events import AnomalyRaised
from kineseg_core.intake.watch import Place

from evaluation.behaviour.work import Task

_RATE_HZ = 4.0
_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its kind, since when, and when it was raised."""

    kind: str
    since_s: float
    raised_s: float


def reports(tasks: Sequence[Task], per_hour: float) -> list[Report]:
    """What is reported of someone's work at that budget."""
    monitor = BehaviourMonitor(per_hour)
    found: list[Report] = []
    frame = 0
    for task, following in zip(tasks, [*tasks[1:], None], strict=True):
        monitor.begins(task.label, "", _place(task.start_s))
        while frame / _RATE_HZ < task.known_s:
            found += _raised(monitor, (frame, round(frame / _RATE_HZ * 1e9)))
            frame += 1
        now = _place(task.known_s)
        monitor.ends(task.label, "", _place(task.start_s), _place(task.end_s), now, cut=following is None)
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


def is_of(report: Report, task: Task) -> bool:
    """Whether a report is about a task, or its raising fell into it."""
    return task.start_s - 1e-3 <= report.since_s <= task.end_s + 1e-3 and report.raised_s <= task.known_s + 60.0
