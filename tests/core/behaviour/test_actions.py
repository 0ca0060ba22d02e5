"""Actions that are new, too long, too short or out of order are reported, and nothing of usual work is."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_core.anomalies import AnomalyClass
from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.events import AnomalyCleared

from tests.core.behaviour.streams import (
    KNOWN_AFTER_S,
    LENGTHS_S,
    Made,
    cleared,
    cycles,
    kinds,
    place,
    raised,
    reported,
    steps,
)

USUAL = cycles(40)


def with_one(at: int, *instead: Made) -> list[Made]:
    """Usual work, with these in place of an action."""
    return [*USUAL[:at], *instead, *USUAL[at + 1 :]]


def begin_s(actions: list[Made], at: int) -> float:
    return sum(action.length_s for action in actions[:at])


def test_an_action_that_is_new_is_reported_when_it_is_over() -> None:
    actions = with_one(120, Made(99, 12.0), USUAL[120])
    (found,) = raised(reported(actions), "new_action")
    begun_s = begin_s(actions, 120)
    assert found.time_ns == pytest.approx(begun_s * 1e9, abs=10)
    assert 0.0 <= found.decided_ns / 1e9 - (begun_s + 12.0 + KNOWN_AFTER_S) <= 1.0
    assert found.detail.text == "action 99, which was never seen before, for 12.0 s"
    assert found.detail.anomaly_class is AnomalyClass.BEHAVIOUR
    (over,) = cleared(reported(actions), "new_action")
    assert over.duration_s == pytest.approx(12.0)


def test_an_action_that_is_new_and_comes_again_is_news_once() -> None:
    actions = with_one(100, Made(99, 12.0), USUAL[100])
    again = [*actions[:140], Made(99, 12.0), *actions[140:]]
    assert kinds(reported(again)).count("new_action") == 1


def test_a_label_that_is_at_once_merged_into_a_known_one_is_not_new() -> None:
    monitor = BehaviourMonitor(6.0)
    actions, found = with_one(120, Made(99, LENGTHS_S[0])), []
    for name, arguments in steps(actions):
        found += getattr(monitor, name)(*arguments) or []
        if name == "ends" and arguments[0] == 99:
            monitor.merged(99, 0)
    assert raised(found, "new_action") == []
    assert raised(found, "unusual_order") == []


def test_a_long_action_is_reported_while_it_goes_on() -> None:
    actions = with_one(121, Made(1, 3.0 * LENGTHS_S[1]))
    found = reported(actions)
    (begun,) = raised(found, "long_action")
    begun_s = begin_s(actions, 121)
    assert begun.time_ns == pytest.approx(begun_s * 1e9, abs=10)
    assert begun_s + 1.2 * LENGTHS_S[1] < begun.decided_ns / 1e9 < begun_s + 2.5 * LENGTHS_S[1]
    assert begun.detail.text.startswith("action 1 goes on for")
    (over,) = cleared(found, "long_action")
    assert over.duration_s == pytest.approx(3.0 * LENGTHS_S[1])
    assert over.text.startswith("action 1 went on for 42.0 s, usually 1")
    assert over.severity > begun.detail.severity


def test_a_short_action_is_reported_when_it_is_over() -> None:
    (found,) = raised(reported(with_one(122, Made(2, 5.0))), "short_action")
    assert found.detail.text.startswith("action 2 was over after 5.0 s, usually 1")


def test_actions_in_another_order_are_one_report() -> None:
    actions = [*USUAL[:121], USUAL[122], USUAL[121], *USUAL[123:]]
    found = reported(actions)
    (begun,) = raised(found, "unusual_order")
    assert begun.detail.text == "action 2 after action 0, which action 1 usually follows"
    (over,) = cleared(found, "unusual_order")
    assert begin_s(actions, 123) - 0.1 < over.end_time_s < begin_s(actions, 124) + 0.1


def test_names_are_said_where_there_are_any() -> None:
    monitor, found = BehaviourMonitor(6.0), []
    for name, arguments in steps(with_one(122, Made(2, 5.0))):
        if name in ("begins", "ends"):
            arguments = (arguments[0], ("fetch", "place", "screw", "check")[int(str(arguments[0]))], *arguments[2:])
        found += getattr(monitor, name)(*arguments) or []
    (short,) = raised(found, "short_action")
    assert short.detail.text.startswith("screw was over after 5.0 s")


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_reported_of_usual_work_at_a_small_budget(seed: int) -> None:
    assert len(kinds(reported(cycles(60, seed, spread=0.2), per_hour=1.0))) <= 1


def test_what_comes_in_any_order_is_in_no_unusual_one() -> None:
    random = np.random.default_rng(3)
    actions = [Made(int(random.integers(4)), float(random.lognormal(2.3, 0.2))) for _ in range(240)]
    assert kinds(reported(actions)).count("unusual_order") <= 1


def test_a_stream_of_ever_new_actions_has_no_news() -> None:
    random = np.random.default_rng(5)
    actions = [Made(label // 2 if label % 2 else label, float(random.lognormal(2.3, 0.2))) for label in range(200)]
    assert kinds(reported(actions)) == []


def test_what_is_cut_off_has_no_length() -> None:
    monitor, found = BehaviourMonitor(6.0), []
    for name, arguments in steps(cycles(30)):
        found += getattr(monitor, name)(*arguments) or []
    began_s = sum(action.length_s for action in cycles(30))
    monitor.begins(0, "", place(began_s))
    now = place(began_s + 1.0)
    monitor.ends(0, "", place(began_s), now, now, cut=True)
    found += monitor.restart(now)
    monitor.begins(1, "", place(began_s + 5.0))
    monitor.ends(1, "", place(began_s + 5.0), place(began_s + 6.0), place(began_s + 8.0))
    found += monitor.settle(place(began_s + 8.0))
    assert kinds(found) == []


def test_what_goes_on_is_cleared_when_the_stream_ends() -> None:
    monitor, found = BehaviourMonitor(6.0), []
    for name, arguments in steps([*cycles(30), Made(0, 8.0)]):
        found += getattr(monitor, name)(*arguments) or []
    began_s = sum(action.length_s for action in cycles(30)) + 8.0
    monitor.begins(1, "", place(began_s))
    for second in range(100):
        found += monitor.settle(place(began_s + second))
    assert kinds(found)[-1] == "long_action"
    (over,) = monitor.finish(place(began_s + 100.0), place(began_s + 99.0))
    assert isinstance(over.detail, AnomalyCleared)
    assert over.detail.duration_s == pytest.approx(100.0)
