"""What a stream has taught, carried to the next session of the same rig."""

from __future__ import annotations

import json

import numpy as np
import pytest
from kineseg_core.anomalies import AnomalyBudget, AnomalyMonitor, WatchedSource
from kineseg_core.errors import InvalidRequest

from tests.core.anomalies.bodies import RATE_HZ, body


def fed(monitor: AnomalyMonitor, frames: np.ndarray) -> list:
    return [event for i, frame in enumerate(frames) for event in monitor.update(frame, i / RATE_HZ)]


def test_with_a_profile_the_next_session_is_watched_after_two_seconds():
    source, frames = body()
    first = AnomalyMonitor(source, AnomalyBudget(6.0))
    fed(first, frames)
    kept = json.loads(json.dumps(first.profile()))
    source, frames = body(2)
    frames[120:150, 7, 1] += 0.4  # from 4 s on
    without, with_it = AnomalyMonitor(source, AnomalyBudget(6.0)), AnomalyMonitor(source, profile=kept)
    assert not fed(without, frames[:180])
    assert "shape" in without.warming_up
    events = fed(with_it, frames[:180])
    assert with_it.warming_up == ()
    assert events
    assert "left_wrist" in events[-1].units


def test_a_profile_has_no_false_alarms_on_the_same_rig():
    source, frames = body()
    first = AnomalyMonitor(source)
    fed(first, frames)
    _, frames = body(3)
    assert fed(AnomalyMonitor(source, profile=first.profile()), frames) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version 1"),
        ({"source": {"names": ["x"]}}, "another source"),
        ({"detectors": {}}, "tele"),
        ({"learnt_s": "long"}, "long"),
        ({"group": "walruses"}, "walruses"),
    ],
)
def test_what_is_no_profile_of_the_source_is_refused_by_name(change, said):
    source = WatchedSource.of_channels(("x", "y"), 30.0)
    monitor = AnomalyMonitor(source)
    for i in range(400):
        monitor.update([i % 7, i % 5], i / 30.0)
    with pytest.raises(InvalidRequest, match=said) as refused:
        AnomalyMonitor(source, profile=monitor.profile() | change)
    assert refused.value.field == "profile"
