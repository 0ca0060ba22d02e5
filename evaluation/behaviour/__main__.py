"""Measures reports of behaviour: on simulated work, and on generated motion that goes through the shipped model."""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import product

from evaluation.behaviour.counts import Counts
from evaluation.behaviour.gait import CHANGES, KIND_OF, RATE_HZ, walk
from evaluation.behaviour.replay import SegmentedStream
from evaluation.behaviour.tables import BUDGETS, header, walk_row, work_row
from evaluation.behaviour.watch import reports_of_work
from evaluation.behaviour.work import FAULTS, Task, work
from evaluation.threads import one_thread_each

_SPREADS, _WRONG = (0.15, 0.2, 0.3), (0.0, 0.05, 0.1)
_HOURS, _FAULTS_PER_HOUR = 5.0, 2.0
_WALK_S = 1400.0
_SLACK_S = 4.0


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.behaviour", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("work", "walking"), help="one of the two tables")
    parser.add_argument("--streams", type=int, default=3, help="of each condition")
    options = parser.parse_args()
    one_thread_each()
    stated = " / ".join(f"{budget:g}" for budget in BUDGETS)
    print(f"Found and rightly named, and false reports an hour, at {stated} stated")
    if options.only != "walking":
        _print_work(options.streams)
    if options.only != "work":
        _print_walking(options.streams)


def _print_work(streams: int) -> None:
    columns = [*(f"{fault.replace('_', ' ')}, %" for fault in FAULTS), "false an hour without any"]
    print(f"\n{header('spread, wrong labels', columns)}")
    for spread, wrong in product(_SPREADS, _WRONG):
        found = {fault: _of_work(spread, wrong, fault, streams) for fault in FAULTS}
        usual = _of_work(spread, wrong, "", streams)
        print(work_row(f"{spread:.0%}, {wrong:.0%}", found, usual), flush=True)


def _print_walking(streams: int) -> None:
    print(f"\n{header('walking', ['found', 'after', 'false an hour'])}")
    for change in (*CHANGES, ""):
        print(walk_row(change or "as usual", _of_walks(change, streams)), flush=True)


def _of_work(spread: float, wrong: float, fault: str, streams: int) -> dict[float, Counts]:
    counts: dict[float, Counts] = defaultdict(Counts)
    for seed in range(streams):
        tasks = work(seed + (1000 if fault else 0), _HOURS, spread, wrong, fault, _FAULTS_PER_HOUR)
        for budget in BUDGETS:
            counts[budget].add(_HOURS, reports_of_work(tasks, budget), _spans(tasks), fault, 0.01)
    return counts


def _spans(tasks: list[Task]) -> list[tuple[float, float]]:
    spans: dict[int, tuple[float, float]] = {}
    for task in tasks:
        if task.fault:
            spans[task.fault] = spans.get(task.fault, (task.start_s, 0.0))[0], task.end_s
    return list(spans.values())


def _of_walks(change: str, streams: int) -> dict[float, Counts]:
    counts: dict[float, Counts] = defaultdict(Counts)
    for seed in range(streams):
        made = walk(seed, _WALK_S, change)
        hours = len(made.positions) / RATE_HZ / 3600.0
        stream = SegmentedStream(made.positions, made.joints, RATE_HZ)
        for budget in BUDGETS:
            counts[budget].add(hours, stream.reports(budget), made.changed_s, KIND_OF.get(change, ""), _SLACK_S)
    return counts


if __name__ == "__main__":
    main()
