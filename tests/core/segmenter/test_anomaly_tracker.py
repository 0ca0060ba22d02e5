"""Anomalies: raised where surprise is too high, updated where it rises on, cleared where it is over."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.segmenter import AnomalyEnd, AnomalyStart, AnomalyUpdate, Decision, SegmenterSettings
from kineseg_core.segmenter.anomaly import SurpriseMonitor
from kineseg_core.segmenter.anomaly_tracker import AnomalyTracker
from kineseg_core.segmenter.return_period import ReturnPeriod

RATE = 10.0
SETTINGS = SegmenterSettings(anomaly_horizon_s=20.0)


def surprise(levels: Sequence[float], seed: int = 0) -> list[float]:
    """Surprises around 1, or so many of their standard deviations above that in the logarithm."""
    usual = np.random.default_rng(seed).normal(0, 1, len(levels))
    return np.exp(np.where(np.asarray(levels) > 0, levels, usual)).tolist()


def tracked(surprises: Sequence[float], cut: int | None = None) -> list[tuple[int, Decision]]:
    """What is decided, and at which frame; at `cut` the stream is interrupted."""
    tracker = AnomalyTracker(SETTINGS, RATE)
    found: list[tuple[int, Decision]] = []
    for at, value in enumerate(surprises):
        decisions: list[Decision] = []
        if at == cut:
            tracker.finish(at, decisions)
            tracker.restart()
        tracker.update(at, value, decisions, still=False)
        found += [(at, decision) for decision in decisions]
        tracker = pickle.loads(pickle.dumps(tracker))
    decisions = []
    tracker.finish(len(surprises), decisions)
    return found + [(len(surprises), decision) for decision in decisions]


LEVELS = st.lists(st.tuples(st.integers(1, 25), st.sampled_from([0.0, 3.0, 7.0, 12.0, 40.0])), max_size=12)


@settings(deadline=None)
@given(LEVELS, st.integers(0, 100), st.one_of(st.none(), st.integers(30, 300)))
def test_every_anomaly_is_raised_once_and_cleared_once(
    stretches: list[tuple[int, float]], seed: int, cut: int | None
) -> None:
    levels = [0.0] * 60 + [level for length, level in stretches for _ in range(length)]
    surprises = surprise(levels, seed)
    found = tracked(surprises, cut)
    # Raised exactly where the monitor has them begin.
    monitor = SurpriseMonitor(SETTINGS, RATE)
    begins = []
    scores = []
    for at, value in enumerate(surprises):
        if at == cut:
            monitor.restart()
        if monitor.update(value):
            begins.append(at)
        scores.append(monitor.score)
    starts = [decision for _, decision in found if isinstance(decision, AnomalyStart)]
    assert [start.index for start in starts] == begins
    assert [start.anomaly_id for start in starts] == list(range(1, len(begins) + 1))
    # One is over before the next begins.
    order = [(d.anomaly_id, type(d)) for _, d in found if isinstance(d, AnomalyStart | AnomalyEnd)]
    assert order == [(start.anomaly_id, kind) for start in starts for kind in (AnomalyStart, AnomalyEnd)]
    for start in starts:
        mine = [(at, d) for at, d in found if getattr(d, "anomaly_id", None) == start.anomaly_id]
        *_, (decided, end) = mine
        assert isinstance(end, AnomalyEnd)
        assert start.index < end.end <= decided
        assert end.score == max([start.score, *scores[start.index : decided]])
        said = [(at, d.score) for at, d in mine if isinstance(d, AnomalyStart | AnomalyUpdate)]
        for (before_at, before), (at, score) in itertools.pairwise(said):
            assert at - before_at >= RATE
            assert score >= 1.2 * before


def test_what_rises_on_is_updated_and_what_falls_is_not() -> None:
    levels = [0.0] * 200 + [9.0] * 20 + [20.0] * 20 + [12.0] * 20 + [0.0] * 40
    (at, start), (worse_at, worse), (over_at, over) = tracked(surprise(levels))
    assert isinstance(start, AnomalyStart)
    assert at == start.index == 200
    assert isinstance(worse, AnomalyUpdate)
    assert 219 <= worse_at <= 225
    assert isinstance(over, AnomalyEnd)
    assert over.score >= worse.score
    # Over where surprise was usual again, which is known a second later.
    assert abs(over.end - 260) <= 2
    assert over_at - over.end >= RATE - 2


def test_an_anomaly_that_is_cut_or_goes_on_to_the_end_is_cleared_there() -> None:
    levels = [0.0] * 200 + [9.0] * 100
    assert [type(d) for _, d in tracked(surprise(levels))] == [AnomalyStart, AnomalyEnd]
    assert tracked(surprise(levels))[-1][1].end == 300  # type: ignore[union-attr]
    (_, first), (at, over), *_ = tracked(surprise(levels), cut=250)
    assert isinstance(first, AnomalyStart)
    assert isinstance(over, AnomalyEnd)
    assert (at, over.end) == (250, 250)


@given(st.lists(st.floats(0, 100), max_size=60), st.floats(0, 100), st.floats(0, 1e4))
def test_the_return_period_is_the_time_over_how_often_it_was_as_bad(
    peaks: list[float], score: float, hours: float
) -> None:
    period = ReturnPeriod()
    for peak in peaks:
        period.add(peak)
    assert period.hours(score, hours) == hours / (1 + sum(peak >= score for peak in peaks))


def test_the_return_period_of_a_long_stream_takes_little_room_and_stays_right_for_what_is_bad() -> None:
    peaks = np.random.default_rng(0).exponential(5.0, 20_000)
    period = ReturnPeriod()
    for peak in peaks:
        period.add(float(peak))
    for score in np.sort(peaks)[-1000::100]:
        assert period.hours(float(score), 100.0) == 100.0 / (1 + (peaks >= score).sum())
    # What is nothing special counts as the least of all.
    assert period.hours(0.1, 100.0) == 100.0 / 20_001
    assert len(pickle.dumps(period)) < 10_000
