"""Simulated work: a cycle of tasks, whose labels and boundaries a segmenter would give, with faults of behaviour."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

TASKS_S = (8.0, 14.0, 22.0, 11.0, 30.0, 17.0)
"""Mean lengths of the tasks of a cycle, seconds."""
NEW_TASK_S = 16.0
FAULTS = ("long_action", "short_action", "unusual_order", "new_action")
_TIMES = 2.5
_RANDOM_LABELS = 4
"""Labels beyond those of the tasks that a wrong one may be."""
_KNOWN_AFTER_S = (0.8, 2.5)
"""When a segmenter knows a boundary, after it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it is segmented.

    Attributes:
        label: Which one it is.
        start_s, end_s: When.
        known_s: When its end is known.
        fault: Number of the fault that it is part of; 0: none.
    """

    label: int
    start_s: float
    end_s: float
    known_s: float
    fault: int = 0


def work(
    seed: int, hours: float, spread: float, wrong: float, fault: str = "", faults_per_hour: float = 0.0
) -> list[Task]:
    """One person's work.

    Args:
        seed: Decides everything random.
        hours: For how long.
        spread: Standard deviation of the logarithm of a task's length.
        wrong: Share of segments that get any label but their own.
        fault: What goes wrong, one of `FAULTS`; empty: nothing.
        faults_per_hour: How often, after the first hour.
    """
    random = np.random.default_rng(seed)
    tasks: list[Task] = []
    faults = 0
    time_s, news = 0.0, len(TASKS_S) + _RANDOM_LABELS
    due_s = 3600.0 + _wait(random, faults_per_hour)
    while time_s < hours * 3600.0:
        cycle = [(label, float(np.exp(random.normal(0.0, spread))) * mean, 0) for label, mean in enumerate(TASKS_S)]
        if fault and time_s > due_s:
            due_s = time_s + _wait(random, faults_per_hour)
            faults += 1
            at = int(random.integers(len(cycle) - 1))
            label, length_s, _ = cycle[at]
            if fault == "long_action":
                cycle[at] = label, _TIMES * length_s, faults
            elif fault == "short_action":
                cycle[at] = label, length_s / _TIMES, faults
            elif fault == "unusual_order":
                cycle[at], cycle[at + 1] = (*cycle[at + 1][:2], faults), (label, length_s, faults)
            else:
                length_s = float(np.exp(random.normal(0.0, spread))) * NEW_TASK_S
                cycle.insert(at, (news, length_s, faults))
                news += 1
        for label, length_s, of_fault in cycle:
            known_s = time_s + length_s + random.uniform(*_KNOWN_AFTER_S)
            tasks.append(Task(label, time_s, time_s + length_s, known_s, of_fault))
            time_s += length_s
    return _mislabelled(tasks, random, wrong)


def _mislabelled(tasks: list[Task], random: np.random.Generator, wrong: float) -> list[Task]:
    labels = len(TASKS_S) + _RANDOM_LABELS
    others = random.integers(1, labels, len(tasks))
    is_wrong = random.random(len(tasks)) < wrong
    return [
        replace(task, label=(task.label + int(other)) % labels) if mistaken else task
        for task, other, mistaken in zip(tasks, others, is_wrong, strict=True)
    ]


def _wait(random: np.random.Generator, per_hour: float) -> float:
    return float(random.exponential(3600.0 / per_hour)) if per_hour else np.inf
