"""Whatever the stream is: no flood, every report is raised once and cleared once, and pickling changes nothing."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.behaviour import BehaviourMonitor
from kineseg_core.behaviour.student import above
from kineseg_core.events import AnomalyCleared, AnomalyRaised, AnomalyUpdated
from kineseg_core.intake.watch import AnomalyFound

from tests.core.behaviour.streams import CHANNELS, RATE_HZ, Made, kinds, movement, place, reported, steps

WILD = st.lists(
    st.builds(Made, st.integers(0, 5), st.sampled_from([0.05, 1.0, 4.0, 5.0, 6.0, 80.0])), min_size=1, max_size=120
)
RAREST = math.log(24.0 * 365.25)


@settings(max_examples=40)
@given(WILD, st.sampled_from([1.0, 30.0, 500.0]))
def test_no_stream_floods_and_every_report_is_raised_and_cleared_once(actions: list[Made], per_hour: float) -> None:
    found = reported(actions, per_hour)
    hours = sum(action.length_s for action in actions) / 3600.0
    highest = 40.0  # nats of anything: differences end there
    assert len(kinds(found)) <= per_hour * hours + highest + math.log(per_hour) + 1.0
    _check_lives(found)


@pytest.mark.parametrize("spread", [0.1, 0.3])
@pytest.mark.parametrize("per_hour", [6.0, 30.0])
def test_regular_work_keeps_to_the_budget(spread: float, per_hour: float) -> None:
    random = np.random.default_rng(8)
    actions = [
        Made(label, float(np.exp(random.normal(math.log(length_s), spread))))
        for _ in range(200)
        for label, length_s in enumerate((8.0, 14.0, 22.0))
    ]
    hours = sum(action.length_s for action in actions) / 3600.0
    assert len(kinds(reported(actions, per_hour))) <= per_hour * hours + RAREST + math.log(per_hour) + 1.0
    assert len(kinds(reported(actions, per_hour))) <= 1.3 * per_hour * hours + 1


@settings(max_examples=15)
@given(WILD, st.integers(1, 40))
def test_a_monitor_that_is_pickled_says_the_same(actions: list[Made], every: int) -> None:
    monitor, found = BehaviourMonitor(500.0), list[AnomalyFound]()
    for count, (name, arguments) in enumerate(steps(actions)):
        found += getattr(monitor, name)(*arguments) or []
        if count % every == 0:
            monitor = pickle.loads(pickle.dumps(monitor))
    end = place(sum(action.length_s for action in actions) + 60.0)
    found += monitor.finish(end, end)
    assert found == reported(actions, 500.0)


def test_memory_does_not_grow_with_the_stream() -> None:
    monitor = BehaviourMonitor(30.0, CHANNELS, RATE_HZ)
    frames = movement(20.0, seed=0)
    sizes = []
    for label in range(400):
        begun_s = 20.0 * label
        monitor.begins(label, "", place(begun_s))
        if label < 20:
            for at, frame in enumerate(frames):
                monitor.push(frame, place(begun_s + at / RATE_HZ))
        end = place(begun_s + 20.0)
        monitor.ends(label, "", place(begun_s), end, end)
        monitor.settle(end)
        sizes.append(len(pickle.dumps(monitor)))
    assert sizes[-1] < 1.05 * sizes[290]
    assert sizes[-1] < 250_000


@pytest.mark.parametrize(
    ("t", "degrees", "tail"), [(2.015, 5, 0.05), (-2.015, 5, 0.95), (3.169, 10, 0.005), (1.0, 1, 0.25)]
)
def test_the_tail_is_that_of_the_tables(t: float, degrees: int, tail: float) -> None:
    assert above(t, degrees) == pytest.approx(tail, rel=2e-3)


def _check_lives(found: list[AnomalyFound]) -> None:
    going: set[int] = set()
    numbers = []
    for each in found:
        detail = each.detail
        assert each.time_ns <= each.decided_ns
        match detail:
            case AnomalyRaised():
                numbers.append(detail.anomaly_id)
                going.add(detail.anomaly_id)
            case AnomalyUpdated():
                assert detail.anomaly_id in going
            case AnomalyCleared():
                going.remove(detail.anomaly_id)
                assert detail.duration_s >= 0.0
    assert numbers == list(range(1, len(numbers) + 1))
    assert not going
