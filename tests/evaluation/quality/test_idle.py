"""Streams in which nothing happens: the same each time, as noisy as they say, and no boundary in them."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg.motion import canonical_pose

from evaluation.quality import idle_table
from evaluation.quality.results import FINAL, PROVISIONAL, MethodResult, ScoredStream, SetResult
from evaluation.quality.scores import Prediction, StreamScore
from evaluation.quality.sets.idle import load, smooth_noise


def test_streams_are_ten_minutes_and_the_same_each_time() -> None:
    for one, again in zip(load(), load(), strict=True):
        assert one.n_frames == pytest.approx(600 * one.rate)
        assert len(one.truth) == 0
        assert np.array_equal(one.recording.frames, again.recording.frames)


def test_a_person_stands_still_but_for_what_the_name_says() -> None:
    wander = {}
    for stream in load(minutes=0.5):
        if stream.is_motion:
            assert canonical_pose(stream.recording).n_frames == stream.n_frames
            assert stream.recording.positions is not None
            wander[stream.name] = float(stream.recording.positions.std(axis=0).max())
    still, optical, breathing = wander.values()
    assert still == pytest.approx(0.0, abs=1e-12)
    assert optical == pytest.approx(0.0007, rel=0.1)
    assert 0.005 < breathing < 0.03


def test_a_stopped_machine_does_not_change() -> None:
    stopped, humming = load(minutes=0.5)[-2:]
    assert np.ptp(stopped.recording.frames, axis=0).max() == 0.0
    assert 0.0 < (humming.recording.frames.std(axis=0) / humming.recording.frames.mean(axis=0)).max() < 0.002


def test_smooth_noise_remembers() -> None:
    noise = smooth_noise(np.random.default_rng(0), (50_000, 2), 25.0)
    assert noise.std() == pytest.approx(1.0, abs=0.05)
    for column in noise.T:
        assert np.corrcoef(column[:-25], column[25:])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.05)


def test_segments_are_counted_and_provisional_ones_by_the_minute() -> None:
    streams = load(minutes=0.5)[:2]
    score = StreamScore({"covering": 1.0}, ())

    def row(method: str, *cuts: list[int]) -> MethodResult:
        said = tuple(Prediction.of([(cut, cut) for cut in each], 900) for each in cuts)
        return MethodResult(method, "ours", score, (score, score), said, 1.0, ())

    result = SetResult("idle", rows=[row(FINAL, [], [100, 300]), row(PROVISIONAL, [50], [100, 200, 300])])
    assert idle_table.markdown([result]) == []  # it was not served
    result.streams += [ScoredStream(stream, None, score, score) for stream in streams]  # type: ignore[arg-type]
    assert idle_table.console_lines([result]) == [
        "idle: 2.0 segments in ten minutes, 3 at worst; provisional ones 4.0 a minute"
    ]
    assert f"| {FINAL} | 1 | 3 | 2.0 | 3 | 2.00 |" in idle_table.markdown([result])
    assert idle_table.console_lines([SetResult("takes")]) == []
