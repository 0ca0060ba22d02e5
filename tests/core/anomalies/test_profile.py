"""What a stream has taught, carried to the next session of the same rig."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.anomalies import AnomalyBudget, AnomalyMonitor, WatchedSource
from kineseg_core.errors import InvalidRequest
from kineseg_core.profile_json import MOST_BYTES, profile_from_json, profile_to_json

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
        ({"learnt_s": "long"}, "learnt_s"),
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


def test_what_differs_from_the_source_is_said():
    kept = AnomalyMonitor(WatchedSource.of_channels(("x", "y", "z"), 30.0)).profile()
    for source, said in (
        (WatchedSource.of_channels(("x", "y", "w"), 30.0), "'w' is not in it.*'z' is not here"),
        (WatchedSource.of_channels(("x", "y"), 30.0), "3 channels, and here are 2"),
        (WatchedSource.of_channels(("z", "y", "x"), 30.0), "another order"),
        (WatchedSource.of_channels(("x", "y", "z"), 25.0), "30 frames a second, and here are 25"),
        (WatchedSource.of_joints(("x", "y", "z"), (-1, 0, 1), 30.0), "it is of channels"),
    ):
        with pytest.raises(InvalidRequest, match=said):
            AnomalyMonitor(source, profile=kept)


def test_a_rate_that_was_estimated_anew_is_that_of_the_same_rig():
    kept = AnomalyMonitor(WatchedSource.of_channels(("x", "y"), 29.97)).profile()
    AnomalyMonitor(WatchedSource.of_channels(("x", "y"), 30.02), profile=kept)


SOURCE = WatchedSource.of_channels(("x", "y"), 30.0)
FRAMES = np.random.default_rng(0).normal(size=(400, 2)).cumsum(0)
TIMES_S = np.arange(400) / 30.0


def known_profile() -> dict:
    monitor = AnomalyMonitor(SOURCE)
    monitor.push(FRAMES, TIMES_S)
    return json.loads(json.dumps(monitor.profile()))


KNOWN = known_profile()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NUMBERS = st.floats() | st.integers() | st.sampled_from([10**400, -1, 0, 1e308, -1e308, 5e-324, True, "1", None])


def places(value: object, at: tuple = ()) -> list[tuple]:
    """The place of everything within plain values."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, each in inner for place in places(each, (*at, key)))]


@st.composite
def damaged(draw: st.DrawFn) -> object:
    """A profile in which up to three things have been replaced by others."""
    profile = json.loads(json.dumps(KNOWN))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(profile)[1:]))
        within = profile
        for key in place[:-1]:
            within = within[key]
        within[place[-1]] = draw(NUMBERS | JSON)
    return profile


def refused(work: Callable[[], object]) -> bool:
    """Whether it is refused, as is due; anything else is raised."""
    try:
        work()
    except InvalidRequest as error:
        return error.field == "profile" and len(error.message) < 1000
    return False


@given(st.one_of(damaged(), JSON))
def test_whatever_comes_as_a_profile_is_refused_by_name_or_watches_with_finite_numbers(profile):
    if refused(lambda: AnomalyMonitor(SOURCE, profile=profile)):
        return
    monitor = AnomalyMonitor(SOURCE, profile=profile)
    monitor.push(FRAMES, TIMES_S)
    assert not np.isnan(monitor.severities).any()
    profile_from_json(profile_to_json(monitor.profile()))  # all of it finite


@given(st.text(max_size=200) | JSON.map(json.dumps) | st.sampled_from(["[" * 100_000, "9" * 10_000, "\ud800", "NaN"]))
def test_any_text_is_a_json_object_or_refused_by_name(text):
    assert refused(lambda: profile_from_json(text)) or isinstance(profile_from_json(text), dict)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-9, 1.0, 1e9])
@pytest.mark.parametrize("joints", [False, True])
def test_what_any_source_has_taught_can_be_restored(scale, joints):
    names = [f"unit {i}" for i in range(6)]
    source = WatchedSource.of_channels(names, 30.0)
    if joints:
        source = WatchedSource.of_joints(names, range(-1, 5), 30.0)
    monitor = AnomalyMonitor(source)
    frames = scale * np.clip(np.random.default_rng(2).normal(size=(900, *source.shape)), -1, 1)
    frames[:, 2] = np.nan
    monitor.push(frames, np.arange(900) / 30.0)
    restored = AnomalyMonitor(source, profile=profile_from_json(profile_to_json(monitor.profile())))
    restored.push(frames, np.arange(900) / 30.0)
    assert not np.isnan(restored.severities).any()


def test_a_profile_that_is_too_large_is_refused_before_it_is_read():
    with pytest.raises(InvalidRequest, match="2 MiB"):
        profile_from_json('{"x": "' + "x" * MOST_BYTES + '"}')


def test_the_largest_source_has_a_profile_that_is_small_enough():
    source = WatchedSource.of_joints([f"joint {i}" * 10 for i in range(512)], [-1, *range(511)], 30.0)
    monitor = AnomalyMonitor(source)
    monitor.push(np.random.default_rng(1).normal(size=(450, 512, 3)).cumsum(0), np.arange(450) / 30.0)
    assert len(profile_to_json(monitor.profile())) < MOST_BYTES
