"""What one stream's segmenter decides, and when."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.segmenter import (
    Decision,
    SegmentEnd,
    SegmenterSettings,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from numpy.typing import NDArray

from tests.core.segmenter.steps import SETTINGS, Make, motion, signal, step
from tests.core.segmenter.streams import RATE, embedding_stream

both = pytest.mark.parametrize("make", [motion, signal])


def run(
    frames: NDArray[np.float32],
    latency_s: float = 4.0,
    surprise: Sequence[float] | None = None,
    pickle_at: frozenset[int] = frozenset(),
    settings: SegmenterSettings = SETTINGS,
    make: Make = motion,
) -> list[tuple[int, Decision]]:
    """All decisions with the frame that each was decided at."""
    segmenter = make(latency_s, settings)
    decided: list[tuple[int, Decision]] = []
    for i, frame in enumerate(frames):
        if i in pickle_at:
            segmenter = pickle.loads(pickle.dumps(segmenter))
        decided += [(i, d) for d in step(segmenter, frame, 1.0 if surprise is None else surprise[i])]
    return decided + [(len(frames) - 1, d) for d in segmenter.finish()]


def closed(decided: list[tuple[int, Decision]]) -> list[SegmentEnd]:
    return [d for _, d in decided if isinstance(d, SegmentEnd)]


@both
def test_finds_the_boundaries_and_neighbours_differ_in_their_labels(make: Make) -> None:
    frames, truth = embedding_stream([0, 1, 0, 2, 1], [6, 5, 7, 6, 5])
    segments = closed(run(frames, make=make))
    assert [abs(s.start - t) <= 0.3 * RATE for s, t in zip(segments[1:], truth, strict=True)] == [True] * 4
    assert all(one.label != other.label for one, other in pairwise(segments))


def test_an_action_is_known_again() -> None:
    frames, _ = embedding_stream([0, 1, 0, 2, 1], [6, 5, 7, 6, 5])
    labels = [s.label for s in closed(run(frames))]
    assert (labels[0], labels[1]) == (labels[2], labels[4])
    assert len(set(labels)) == 3


@both
def test_one_action_is_one_segment(make: Make) -> None:
    frames, _ = embedding_stream([0], [60])
    segments = closed(run(frames, make=make))
    assert [(s.start, s.end) for s in segments] == [(0, len(frames))]


@both
@pytest.mark.parametrize("seconds", [0.01, 0.04, 0.5, 2.0])
def test_a_stream_too_short_to_be_cut_is_one_segment(make: Make, seconds: float) -> None:
    frames, _ = embedding_stream([0], [max(seconds, 1 / RATE)])
    assert [(s.start, s.end) for s in closed(run(frames, make=make))] == [(0, len(frames))]


@both
def test_an_empty_stream_has_no_segments(make: Make) -> None:
    assert make().finish() == []


@both
@settings(max_examples=15)
@given(
    latency_s=st.floats(0.5, 10.0),
    actions=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    seed=st.integers(0, 100),
)
def test_segments_tile_the_stream_and_no_decision_is_late(
    make: Make, latency_s: float, actions: list[int], seed: int
) -> None:
    frames, _ = embedding_stream(actions, [3.0 + (seed + i) % 4 for i in range(len(actions))], seed)
    decided = run(frames, latency_s, make=make)
    segments = closed(decided)
    assert segments[0].start == 0
    assert segments[-1].end == len(frames)
    assert all(a.end == b.start for a, b in pairwise(segments))
    starts = [(i, d) for i, d in decided if isinstance(d, SegmentStart | SegmentUpdate) and d.confirmed]
    assert [(d.segment_id, d.index) for _, d in starts] == [(s.segment_id, s.start) for s in segments]
    assert all(d.index <= i and (i + 1 - d.index) / RATE <= latency_s + 1e-9 for i, d in starts)


@both
@settings(max_examples=15)
@given(
    latency_s=st.floats(0.5, 10.0),
    actions=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    seed=st.integers(0, 100),
)
def test_what_is_provisional_is_confirmed_or_retracted_once(
    make: Make, latency_s: float, actions: list[int], seed: int
) -> None:
    frames, _ = embedding_stream(actions, [3.0 + (seed + i) % 4 for i in range(len(actions))], seed)
    provisional: dict[int, int] = {}
    emitted: list[int] = []
    for i, decision in run(frames, latency_s, make=make):
        if isinstance(decision, SegmentStart):
            assert not emitted or decision.segment_id > emitted[-1]
            emitted.append(decision.segment_id)
            assert decision.confirmed == (decision.confidence == 1.0)
            if not decision.confirmed:
                provisional[decision.segment_id] = i
        elif isinstance(decision, SegmentUpdate):
            assert decision.segment_id in provisional
            if decision.confirmed:
                del provisional[decision.segment_id]
        elif isinstance(decision, SegmentRetract):
            assert i - provisional.pop(decision.segment_id) <= latency_s * RATE
    assert not provisional


@both
def test_a_boundary_is_emitted_within_a_second_and_confirmed_later(make: Make) -> None:
    frames, truth = embedding_stream([0, 1, 0, 2, 1], [6, 5, 7, 6, 5])
    decided = run(frames, make=make)
    provisional = [(i, d) for i, d in decided if isinstance(d, SegmentStart) and not d.confirmed]
    confirmed = {d.segment_id for _, d in decided if isinstance(d, SegmentUpdate) and d.confirmed}
    assert [abs(d.index - t) <= 0.3 * RATE for (_, d), t in zip(provisional, truth, strict=True)] == [True] * 4
    assert all(i - d.index <= RATE for i, d in provisional)
    assert {d.segment_id for _, d in provisional} == confirmed


@both
@settings(max_examples=10)
@given(cuts=st.frozensets(st.integers(0, 600), max_size=5))
def test_pickling_in_between_changes_nothing(make: Make, cuts: frozenset[int]) -> None:
    frames, _ = embedding_stream([0, 1, 2, 0], [5, 5, 5, 5])
    assert run(frames, pickle_at=cuts, make=make) == run(frames, make=make)


@both
def test_memory_does_not_grow_and_a_long_segment_still_ends(make: Make) -> None:
    settings = SegmenterSettings(surprise_horizon_s=3.0)
    frames, truth = embedding_stream([0, 1], [40, 6])
    half, whole = (make(settings=settings) for _ in range(2))
    for frame in frames[: 20 * 30]:
        step(half, frame)
    for frame in frames[: 40 * 30]:
        step(whole, frame)
    assert len(pickle.dumps(whole)) <= len(pickle.dumps(half)) + 64
    starts = [s.start for s in closed(run(frames, settings=settings, make=make))]
    assert any(abs(s - truth[0]) <= 0.3 * RATE for s in starts)


@both
def test_an_excursion_of_surprise_stands_out_of_its_trace(make: Make) -> None:
    frames, _ = embedding_stream([0], [40])
    surprise = np.exp(0.3 * np.random.default_rng(0).standard_normal(len(frames)))
    surprise[900:960] *= np.exp(12.0)
    segmenter, scores = make(), []
    for frame, value in zip(frames, surprise, strict=True):
        step(segmenter, frame, float(value))
        scores.append(segmenter.anomaly_score)
    assert max(scores[:900] + scores[960:]) < 5.0 < min(scores[900:960])


def test_calibration_of_a_bundle_is_taken_and_checked() -> None:
    taken = SegmenterSettings.from_bundle(
        {"same_action": 0.2, "max_labels": 8.0}, log_surprise_median=-1, log_surprise_scale=2
    )
    assert (taken.same_action, taken.max_labels, taken.log_surprise_scale) == (0.2, 8, 2)
    with pytest.raises(ValueError, match="same_actions"):
        SegmenterSettings.from_bundle({"same_actions": 1.0}, log_surprise_median=0, log_surprise_scale=1)
