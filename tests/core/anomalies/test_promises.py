"""What holds whatever a source sends."""

from __future__ import annotations

import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kineseg_core.anomalies import (
    AnomalyBudget,
    AnomalyEvent,
    AnomalyMonitor,
    Cleared,
    Raised,
    Updated,
    WatchedSource,
)
from kineseg_core.anomalies.signs import RULE_SEVERITY
from kineseg_core.errors import InvalidFrame, InvalidRequest, OutOfRange

from tests.core.anomalies.bodies import F64, body, raised, watched

numbers = st.floats(width=64, allow_infinity=False) | st.sampled_from([0.0, 1.0, math.nan, 1e300, -1e-300])


def check_lives(events: list[AnomalyEvent]) -> None:
    """Every anomaly is raised once, with a number of its own, and cleared once, after that."""
    open_ids: set[int] = set()
    used: set[int] = set()
    for event in events:
        if isinstance(event, Raised):
            assert event.anomaly_id not in used
            open_ids.add(event.anomaly_id)
            used.add(event.anomaly_id)
        else:
            assert event.anomaly_id in open_ids
        if isinstance(event, Cleared):
            assert event.end_s >= event.since_s
            open_ids.remove(event.anomaly_id)
        assert event.units
        assert event.severity_h > 0
        assert event.text
    assert not open_ids


@settings(max_examples=60)
@given(
    frames=st.integers(1, 60).flatmap(lambda n: arrays(np.float64, (n, 4, 3), elements=numbers)),
    intervals=st.lists(st.floats(-1.0, 1e6), min_size=60, max_size=60),
    rate_hz=st.sampled_from([0.5, 15.0, 30.0, 240.0]),
)
def test_any_numbers_make_events_and_no_exception(frames, intervals, rate_hz):
    times_s = np.cumsum(intervals)[: len(frames)]
    check_lives(watched(WatchedSource.of_joints("abcd", [-1, 0, 1, 1], rate_hz), frames, times_s))
    flat = frames.reshape(len(frames), -1)
    check_lives(watched(WatchedSource.of_channels([str(c) for c in range(12)], rate_hz), flat, times_s))


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), sizes=st.tuples(st.floats(-6, 6), st.floats(-6, 6)), held=st.floats(0.0, 0.9))
def test_wild_but_steady_sources_make_events_and_no_exception(seed, sizes, held):
    rng = np.random.default_rng(seed)
    frames = 10.0 ** sizes[0] * rng.standard_cauchy((700, 4, 3)) + 10.0 ** sizes[1]
    frames[rng.random((700, 4)) < held] = np.nan
    frames[300:400] = frames[300]
    check_lives(watched(WatchedSource.of_joints("abcd", [-1, 0, 1, 1], 30.0), frames))
    check_lives(watched(WatchedSource.of_channels("abcd", 30.0), frames[:, :, 0]))


def faulty_body() -> tuple[WatchedSource, F64]:
    source, frames = body()
    frames[450:470, 7] += 0.5
    frames[700:730, 10] = np.nan
    frames[900:940] = frames[899]
    frames[1200:1260, 13, 1] += 0.2 * np.sin(np.arange(60) * 1.2)
    return source, frames


@pytest.mark.parametrize("at", [3, 310, 460, 715, 905, 1250])
def test_a_monitor_goes_on_after_pickling_as_if_nothing_had_happened(at):
    source, frames = faulty_body()
    whole = watched(source, frames)
    assert len(raised(whole)) >= 3
    monitor = AnomalyMonitor(source, AnomalyBudget(6.0))
    events = []
    for i, frame in enumerate(frames):
        if i == at:
            monitor = pickle.loads(pickle.dumps(monitor))
        events += monitor.update(frame, i / source.rate_hz)
    assert [*events, *monitor.finish()] == whole


@settings(max_examples=10)
@given(cuts=st.sets(st.integers(1, 1799), max_size=60))
def test_chunks_change_no_event_and_no_severity(cuts):
    source, frames = faulty_body()
    check_chunks(source, frames, sorted(cuts))
    channels = WatchedSource.of_channels([f"c{i}" for i in range(6)], source.rate_hz)
    check_chunks(channels, frames[:, 7:9].reshape(len(frames), -1), sorted(cuts))


def check_chunks(source: WatchedSource, frames: F64, cuts: list[int]) -> None:
    """One frame at a time and in any chunks, the same bits."""
    times_s = np.arange(len(frames)) / source.rate_hz
    single, chunked = AnomalyMonitor(source, AnomalyBudget(6.0)), AnomalyMonitor(source, AnomalyBudget(6.0))
    events, severities = [], []
    for i, frame in enumerate(frames):
        events += [(i, event) for event in single.update(frame, times_s[i])]
        severities += single.severities.tolist()
    assert any(isinstance(event, Raised) for _, event in events)
    found, rated = [], []
    for first, end in itertools.pairwise([0, *cuts, len(frames)]):
        found += [(first + row, event) for row, event in chunked.push(frames[first:end], times_s[first:end])]
        rated += chunked.severities.tolist()
    assert found == events
    assert rated == severities
    assert chunked.profile() == single.profile()


def test_nothing_is_said_to_be_rarer_than_once_in_a_year():
    source, frames = body()
    frames[900:903, 7] += 1e6
    events = watched(source, frames)
    assert raised(events)
    assert max(event.severity_h for event in events) == pytest.approx(24 * 365.25)


def test_what_is_said_of_a_frame_depends_on_nothing_later():
    source, frames = faulty_body()
    whole = watched(source, frames)
    monitor = AnomalyMonitor(source, AnomalyBudget(6.0))
    some = [event for i in range(1000) for event in monitor.update(frames[i], i / source.rate_hz)]
    assert some == whole[: len(some)]


def test_the_state_of_a_stream_is_small():
    source, frames = body()
    monitor = AnomalyMonitor(source)
    for i in range(400):
        monitor.update(frames[i], i / source.rate_hz)
    assert len(pickle.dumps(monitor)) <= 64 * 1024
    monitor = AnomalyMonitor(WatchedSource.of_channels("abcdef", 50.0))
    for i in range(600):
        monitor.update(np.arange(6) * i % 11, i / 50.0)
    assert len(pickle.dumps(monitor)) <= 64 * 1024


def walk(rng: np.random.Generator) -> F64:
    return np.cumsum(rng.standard_normal((30000, 4)), axis=0)


def memory(rng: np.random.Generator) -> F64:
    frames = rng.standard_normal((30000, 4))
    for t in range(1, len(frames)):
        frames[t] += 0.95 * frames[t - 1]
    return frames


@pytest.mark.parametrize("alarms_per_hour", [2.0, 30.0])
@pytest.mark.parametrize("make", [walk, memory])
def test_no_noise_gets_past_the_budget(make, alarms_per_hour):
    source = WatchedSource.of_channels("abcd", 20.0)
    frames = make(np.random.default_rng(5))
    events = watched(source, frames, alarms_per_hour=alarms_per_hour)
    hours = len(frames) / 20.0 / 3600.0
    of_score = [event for event in raised(events) if event.severity_h < math.exp(RULE_SEVERITY)]
    worst = max((math.log(event.severity_h) for event in events), default=0.0)
    assert len(of_score) <= alarms_per_hour * hours + worst + math.log(alarms_per_hour) + 1.0
    assert len(raised(events)) <= 1.5 * alarms_per_hour * hours + 1


def test_the_bar_holds_against_a_source_that_is_always_alarming():
    """Bursts each as large as nothing before: what the tails say is of no use, and the bar alone holds."""
    rng = np.random.default_rng(1)
    frames = rng.standard_normal((20 * 1800, 4))
    for number, at in enumerate(range(800, len(frames), 160)):
        frames[at : at + 4] *= 10.0 * 1.15 ** min(number, 150)
    events = watched(WatchedSource.of_channels("abcd", 20.0), frames, alarms_per_hour=2.0)
    assert 1 <= len(raised(events)) <= 2.0 * 0.5 + max(math.log(event.severity_h) for event in events) + 2.0


def test_ten_motionless_minutes_raise_one_anomaly_at_most():
    source, frames = body()
    rng = np.random.default_rng(2)
    still = frames[300] + 0.002 * rng.standard_normal((18000, *frames.shape[1:]))
    assert len(raised(watched(source, still, alarms_per_hour=6.0))) <= 1


def test_an_anomaly_is_updated_not_raised_again_while_it_lasts():
    source, frames = body()
    frames[600:900, 7, 0] += np.linspace(0.0, 0.6, 300)
    events = watched(source, frames)
    assert len(raised(events)) == 1
    assert any(isinstance(event, Updated) for event in events)


@pytest.mark.parametrize(
    ("values", "time_s", "field"),
    [(np.zeros(5), 0.0, "values"), (np.zeros((4, 2)), 0.0, "values"), (np.zeros((4, 3)), math.nan, "time_s")],
)
def test_a_frame_that_is_none_is_refused_by_name(values, time_s, field):
    monitor = AnomalyMonitor(WatchedSource.of_joints("abcd", [-1, 0, 1, 1], 30.0))
    with pytest.raises(InvalidFrame) as refused:
        monitor.update(values, time_s)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: WatchedSource.of_channels((), 30.0), "names"),
        (lambda: WatchedSource.of_channels("aa", 30.0), "names"),
        (lambda: WatchedSource.of_channels("a", 0.0), "rate_hz"),
        (lambda: WatchedSource.of_joints("ab", [-1], 30.0), "parents"),
        (lambda: WatchedSource.of_joints("ab", [1, 0], 30.0), "parents"),
        (lambda: WatchedSource.of_joints("ab", [-1, 7], 30.0), "parents"),
    ],
)
def test_a_source_that_is_none_is_refused_by_name(make, field):
    with pytest.raises(InvalidRequest) as refused:
        make()
    assert refused.value.field == field


def test_a_budget_has_bounds():
    with pytest.raises(OutOfRange) as refused:
        AnomalyBudget(0.0)
    assert refused.value.minimum == pytest.approx(0.01)


def test_a_monitor_is_busy_while_an_anomaly_goes_on():
    source, frames = body()
    frames = frames.copy()
    frames[800:860] = frames[799]
    monitor = AnomalyMonitor(source, AnomalyBudget(6.0))
    open_ids: set[int] = set()
    calm = busy = 0
    for at, frame in enumerate(frames):
        for event in monitor.update(frame, at / 30.0):
            (open_ids.discard if isinstance(event, Cleared) else open_ids.add)(event.anomaly_id)
        assert monitor.busy or not open_ids
        calm, busy = calm + (not monitor.busy), busy + bool(open_ids)
    assert busy >= 30
    assert calm > len(frames) / 2
