"""An interruption in the middle of a stream: what is open ends there, and what was learned goes on."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.naming import KnownNames, Namer, NamingSettings
from kineseg_core.segmenter import (
    Decision,
    SegmentEnd,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from numpy.typing import NDArray

from tests.core.segmenter.steps import Any, motion, patterns, signal, step
from tests.core.segmenter.streams import RATE, embedding_stream

Frames = NDArray[np.float32]
each = pytest.mark.parametrize("make", [motion, signal, patterns])


def run(
    segmenter: Any,
    frames: Frames,
    restarts: frozenset[int],
    surprise: float = 1.0,
    pickled: frozenset[int] = frozenset(),
) -> list[tuple[int, Decision]]:
    """All decisions with the frame that each was decided at; restarted before these frames."""
    decided: list[tuple[int, Decision]] = []
    for i, frame in enumerate(frames):
        if i in restarts:
            decided += [(i - 1, d) for d in segmenter.restart()]
        if i in pickled:
            segmenter = pickle.loads(pickle.dumps(segmenter))
        decided += [(i, d) for d in step(segmenter, frame, surprise)]
    if len(frames) in restarts:
        decided += [(len(frames) - 1, d) for d in segmenter.restart()]
    return decided + [(len(frames) - 1, d) for d in segmenter.finish()]


def closed(decided: list[tuple[int, Decision]]) -> list[SegmentEnd]:
    return [d for _, d in decided if isinstance(d, SegmentEnd)]


@each
@settings(max_examples=20)
@given(
    actions=st.lists(st.integers(0, 3), min_size=1, max_size=5),
    seed=st.integers(0, 50),
    restarts=st.frozensets(st.one_of(st.integers(0, 4), st.integers(0, 900)), max_size=5),
)
def test_segments_tile_the_stream_and_begin_anew_at_each_restart(
    make: Callable[[], Any], actions: list[int], seed: int, restarts: frozenset[int]
) -> None:
    frames, _ = embedding_stream(actions, [3.0 + (seed + i) % 4 for i in range(len(actions))], seed)
    decided = run(make(), frames, restarts)
    segments = closed(decided)
    assert (segments[0].start, segments[-1].end) == (0, len(frames))
    assert all(a.end == b.start for a, b in pairwise(segments))
    assert all(s.start < s.end for s in segments)
    assert {i for i in restarts if 0 < i < len(frames)} <= {s.start for s in segments}
    starts = [d for _, d in decided if isinstance(d, SegmentStart | SegmentUpdate) and d.confirmed]
    assert [(d.segment_id, d.index) for d in starts] == [(s.segment_id, s.start) for s in segments]
    ids = [d.segment_id for _, d in decided if isinstance(d, SegmentStart)]
    assert ids == sorted(set(ids))
    provisional: set[int] = set()
    for i, decision in decided:
        if isinstance(decision, SegmentStart) and not decision.confirmed:
            provisional.add(decision.segment_id)
        elif isinstance(decision, SegmentRetract) or (isinstance(decision, SegmentUpdate) and decision.confirmed):
            provisional.remove(decision.segment_id)
        elif isinstance(decision, SegmentEnd) and decision.end in restarts:
            assert not provisional
            assert i == decision.end - 1


@each
def test_a_restart_before_after_and_twice_in_a_row_is_nothing(make: Callable[[], Any]) -> None:
    frames, _ = embedding_stream([0, 1], [5, 5])
    fresh = make()
    assert fresh.restart() == fresh.restart() == []
    assert fresh.finish() == []
    assert run(make(), frames, frozenset({0})) == run(make(), frames, frozenset())
    segmenter = make()
    for frame in frames[:100]:
        step(segmenter, frame)
    (end,) = [d for d in segmenter.restart() if isinstance(d, SegmentEnd)]
    assert (end.start, end.end) == (0, 100)
    assert segmenter.restart() == segmenter.restart() == segmenter.finish() == []
    (start,) = step(segmenter, frames[100])
    assert start == SegmentStart(100, end.segment_id + 1, segmenter.label)
    (end,) = segmenter.restart()
    assert isinstance(end, SegmentEnd)
    assert (end.start, end.end, end.label) == (100, 101, start.label)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_actions_keep_their_labels_and_changes_are_found_after_a_restart_within_a_block(seed: int) -> None:
    frames, truth = embedding_stream([0, 1, 0, 1], [8, 8, 8, 8], seed)
    interrupted = truth[1] + 61  # no multiple of the 3 frames of a block
    segments = closed(run(motion(), frames, frozenset({interrupted})))
    expected = [0, *truth[:2], interrupted, *truth[2:]]
    assert [s.start for s in segments] == pytest.approx(expected, abs=0.3 * RATE)
    labels = [s.label for s in segments]
    assert labels[0] == labels[2] == labels[3] != labels[1] == labels[4]


def test_what_was_learned_of_the_scale_goes_on() -> None:
    quiet, truth = embedding_stream([0, 1, 0, 1, 0, 1], [8] * 6)
    frames = 30.0 * quiet
    starts = [s.start for s in closed(run(motion(), frames, frozenset({truth[3]})))]
    assert all(min(abs(s - t) for s in starts) <= 0.3 * RATE for t in truth)
    assert len(starts) == len(truth) + 1


@each
def test_the_score_of_surprise_warms_up_anew(make: Callable[[], Any]) -> None:
    frames, _ = embedding_stream([0], [20])
    at = 400

    def score(restarts: frozenset[int], when: int) -> float:
        segmenter = make()
        for i, frame in enumerate(frames[: when + 1]):
            if i in restarts:
                segmenter.restart()
            step(segmenter, frame, 1e9 if i == when else 1.0)
        return float(segmenter.anomaly_score)

    assert score(frozenset(), at + 5) > 10.0
    assert score(frozenset({at}), at + 5) == 0.0
    assert score(frozenset({at}), at + 40) > 10.0


@each
@settings(max_examples=6)
@given(pickled=st.frozensets(st.integers(0, 600), max_size=4), restarts=st.frozensets(st.integers(0, 600), max_size=4))
def test_pickling_in_between_changes_nothing(
    make: Callable[[], Any], pickled: frozenset[int], restarts: frozenset[int]
) -> None:
    frames, _ = embedding_stream([0, 1, 2, 0], [5, 5, 5, 5])
    assert run(make(), frames, restarts, pickled=pickled) == run(make(), frames, restarts)


@settings(max_examples=30)
@given(before=st.integers(0, 400), after=st.integers(9, 200))
def test_names_are_of_the_frames_of_a_segment_after_a_restart(before: int, after: int) -> None:
    namer = Namer(NamingSettings(), KnownNames(), ("walk", "run"), rate_hz=RATE)
    walk, run_ = np.log(np.array([[0.99, 0.01], [0.01, 0.99]], np.float32))
    for _ in range(before):
        namer.update(walk)
    namer.restart()
    for _ in range(after):
        namer.update(run_)
    name = namer.name(before, before + after, None)
    assert (name.name, round(name.confidence, 2)) == ("run", 0.99)
