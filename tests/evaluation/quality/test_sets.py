"""The sets: what can be loaded, and that held-out streams are others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import canonical_pose, generate

from evaluation.quality.errors import QualityError
from evaluation.quality.sets import SETS, load
from evaluation.quality.sets.takes import at_tempo


def test_held_out_seeds_are_not_among_those_looked_at() -> None:
    assert {name for name, each in SETS.items() if each.seeds} == {"bvh", "cmu-clips", "generated"}
    for each in SETS.values():
        if each.seeds:
            assert not set(each.seeds["dev"]) & set(each.seeds["held-out"])
            assert len(each.seeds["dev"]) == len(each.seeds["held-out"])


def test_an_unknown_set_is_refused_with_those_there_are() -> None:
    with pytest.raises(QualityError, match="generated"):
        load("nothing")


def test_what_is_not_random_has_nothing_held_out() -> None:
    with pytest.raises(QualityError, match="nothing in it is random"):
        load("takes", "held-out")


def test_generated_streams_have_twelve_kinds_at_most_and_know_their_boundaries() -> None:
    (stream,) = load("generated", limit=1)
    assert len(stream.actions) <= 12
    assert len(stream.truth) == 15
    assert stream.labels is not None
    assert stream.labels.shape == (stream.n_frames,)
    assert (np.diff(stream.truth, axis=1) >= 0).all()
    assert stream.canonical().shape == ((stream.n_frames - 1) // 2 + 1, 59)


@pytest.mark.parametrize("tempo", [0.6, 1.6])
def test_at_another_tempo_the_motion_is_the_same_and_speeds_are_not(tempo: float) -> None:
    person = generate(2, rate=120.0, n_segments=3, noise=0.0)
    assert person.truth is not None
    rows = [[low, best, high] for best, (low, high) in
            zip(person.truth.boundaries, person.truth.tolerance, strict=True)][1:]  # fmt: skip
    take = {"label_ids": list(person.truth.labels), "names": list(person.truth.names)}
    played = at_tempo(person, tempo, rows, take)  # type: ignore[arg-type]
    assert played.truth is not None
    assert played.duration_s == pytest.approx(person.duration_s / tempo, abs=0.05)
    assert np.allclose(np.array(played.truth.changes) * tempo, person.truth.changes, atol=1)
    before, after = canonical_pose(person).frames, canonical_pose(played).frames
    at = np.arange(20, len(after) - 20)
    source = np.round(at * tempo).astype(int)
    assert np.abs(after[at, :54] - before[source, :54]).max() < 0.05  # posture, in body sizes
    speed, faster = np.abs(before[source, 57]).mean(), np.abs(after[at, 57]).mean()
    assert faster / speed == pytest.approx(tempo, rel=0.05)


def test_tssb_is_one_channel_in_periods(series_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINESEG_DATA", str(series_folder.parent))
    streams = load("tssb", limit=3)
    assert len(streams) == 3
    for stream in streams:
        assert stream.recording.n_channels == 1
        assert stream.labels is None
        assert stream.model == "scratch"
        assert (stream.truth[:, 1] < stream.n_frames).all()
