"""What the evaluation of behaviour counts, and that what it puts in is found."""

from __future__ import annotations

import pytest

from evaluation.behaviour import gait
from evaluation.behaviour.counts import Counts
from evaluation.behaviour.gait import walk
from evaluation.behaviour.watch import Report, reports_of_work
from evaluation.behaviour.work import FAULTS, TASKS_S, work


def test_a_report_of_a_fault_is_not_false_and_one_of_another_kind_does_not_name_it() -> None:
    counts = Counts()
    reports = [Report("long_action", 10.0, 14.0), Report("short_action", 31.0, 33.0), Report("new_action", 70.0, 71.0)]
    counts.add(0.5, reports, [(10.0, 20.0), (30.0, 40.0), (50.0, 60.0)], "long_action", slack_s=1.0)
    assert (counts.faults, counts.found, counts.named, counts.false) == (3, 2, 1, 1)
    assert counts.delays_s == [4.0]
    assert counts.percent == pytest.approx(100.0 / 3.0)
    assert counts.false_per_hour == 2.0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_regular_work_is_found_at_a_large_budget(fault: str) -> None:
    tasks = work(7, 2.0, spread=0.1, wrong=0.0, fault=fault, faults_per_hour=2.0)
    assert any(task.fault for task in tasks)
    of_fault = {report.kind for report in reports_of_work(tasks, 60.0)}
    assert fault in of_fault


def test_work_without_a_fault_has_all_tasks_in_order_and_the_wrong_labels_asked_for() -> None:
    tasks = work(0, 3.0, spread=0.2, wrong=0.0)
    assert [task.label for task in tasks] == [at % len(TASKS_S) for at in range(len(tasks))]
    assert not any(task.fault for task in tasks)
    mistaken = work(0, 3.0, spread=0.2, wrong=0.1)
    wrong = sum(one.label != other.label for one, other in zip(tasks, mistaken, strict=True))
    assert 0.05 < wrong / len(tasks) < 0.16


def test_walking_is_changed_only_where_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gait, "USUAL_S", 20.0)
    usual, limping = walk(1, 200.0), walk(1, 200.0, "limp")
    (begin_s, end_s), *_ = limping.changed_s
    differs = abs(usual.positions - limping.positions).max(axis=(1, 2)) > 1e-9
    assert differs[int(begin_s * 30) + 30 : int(end_s * 30) - 30].mean() > 0.9
    assert not differs[: int(begin_s * 30) - 30].any()
