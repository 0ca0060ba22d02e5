"""Training streams: whole, repeatable, of all kinds, and changing where they say they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import CANONICAL_CHANNELS
from kineseg_training.default.boundary_network.streams.columns import CHANNELS, mirrored
from kineseg_training.default.boundary_network.streams.curves import smooth_noise
from kineseg_training.default.boundary_network.streams.library import SOURCES, Library, load_library
from kineseg_training.default.boundary_network.streams.make import KINDS, kind_of, make_stream
from kineseg_training.default.boundary_network.streams.sensors import at_waist
from kineseg_training.default.boundary_network.streams.stream import TrainingStream
from kineseg_training.errors import DataError, SettingsError

Make = Callable[[int, int], TrainingStream]


@pytest.fixture(scope="module")
def make(library: Library) -> Make:
    """`make_stream` of the library, which is too long to be shown."""

    def stream(seed: int, number: int) -> TrainingStream:
        return make_stream(library, seed, number)

    return stream


def check(stream: TrainingStream) -> None:
    """What holds for every training stream."""
    assert np.isfinite(stream.frames).all()
    if stream.kind == "annotated":  # as long as the recording, at its rate
        assert 5.0 < stream.seconds < 200.0
    else:
        assert stream.rate in (15.0, 30.0, 60.0)
        assert 59.0 < stream.seconds < 200.0
    if stream.canonical:
        assert stream.frames.shape[1] == CHANNELS
    at, half = stream.truth.boundaries.T
    assert (np.diff(at) > 0.0).all()
    assert (at > 0.0).all()
    assert (at < stream.seconds).all()
    assert (half > 0.0).all()
    assert (half < 3.0).all()
    assert len(stream.truth.certainty) == len(at) + 1
    assert ((stream.truth.certainty > 0.0) & (stream.truth.certainty <= 1.0)).all()


@given(seed=st.integers(0, 2**32), number=st.integers(0, 10**6))
@settings(max_examples=20)
def test_any_stream_is_finite_and_its_truth_lies_within_it(make: Make, seed: int, number: int) -> None:
    stream = make(seed, number)
    check(stream)
    assert stream.kind == kind_of(number)


@given(seed=st.integers(0, 2**32), number=st.integers(0, 1000))
@settings(max_examples=5)
def test_equal_seed_and_number_give_equal_bytes(make: Make, seed: int, number: int) -> None:
    first, second = make(seed, number), make(seed, number)
    assert first.frames.tobytes() == second.frames.tobytes()
    assert first.truth.boundaries.tobytes() == second.truth.boundaries.tobytes()
    assert first.truth.certainty.tobytes() == second.truth.certainty.tobytes()
    other = make(seed + 1, number)
    assert first.frames.tobytes() != other.frames.tobytes()


def test_every_kind_appears_at_many_rates_and_numbers_of_channels(streams: list[TrainingStream]) -> None:
    assert {stream.kind for stream in streams[:20]} == set(KINDS)
    assert {stream.rate for stream in streams if stream.kind == "body"} == {15.0, 30.0, 60.0}
    assert {stream.rate for stream in streams if stream.kind == "sensors"} == {15.0, 30.0, 60.0}
    assert {stream.canonical for stream in streams if stream.kind == "idle"} == {True, False}
    widths = {stream.frames.shape[1] for stream in streams if not stream.canonical}
    assert 5 <= min(widths) <= 6  # the network is asked about no fewer than 5
    assert max(widths) >= 20


def test_segments_last_from_less_than_a_second_to_most_of_a_minute(streams: list[TrainingStream]) -> None:
    lengths = np.concatenate(
        [np.diff([0.0, *s.truth.boundaries[:, 0], s.seconds]) for s in streams if s.kind != "idle"]
    )
    assert lengths.min() < 1.0
    assert (lengths > 30.0).sum() >= 3
    assert 2.0 < np.median(lengths) < 8.0


def test_idle_streams_last_a_minute_and_have_a_boundary_at_most(library: Library) -> None:
    idle = [make_stream(library, 11, number) for number in range(300) if kind_of(number) == "idle"]
    assert min(stream.seconds for stream in idle) >= 59.9
    counts = [len(stream.truth.boundaries) for stream in idle]
    assert set(counts) == {0, 1}
    assert counts.count(0) > counts.count(1)


def test_streams_change_at_their_boundaries_more_than_elsewhere(streams: list[TrainingStream]) -> None:
    changes: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for stream in streams:
        if stream.kind == "idle":
            continue
        at, second = stream.truth.boundaries[:, 0], round(stream.rate)
        scale = stream.frames.std(axis=0) + 1e-9
        middles = (at[1:] + at[:-1]) / 2.0
        quiet = middles[np.diff(at) > 4.0]
        for times, boundary in ((at, True), (quiet, False)):
            for frame in (times * stream.rate).astype(int):
                if second <= frame <= len(stream.frames) - second:
                    before, after = stream.frames[frame - second : frame], stream.frames[frame : frame + second]
                    change = np.abs(after.mean(axis=0) - before.mean(axis=0)) / scale
                    changes[stream.kind, boundary].append(float(change.mean()))
    for kind in ("body", "sensors", "process"):
        assert np.mean(changes[kind, True]) > 1.5 * np.mean(changes[kind, False]), kind


def test_what_is_left_out_is_not_used(library: Library, recordings_folder: Path, tmp_path: Path) -> None:
    neither = load_library(None, frozenset(SOURCES))
    assert not neither.names()
    assert not neither.annotated
    for number in range(10):
        check(make_stream(neither, 5, number))
    clips = load_library(recordings_folder, frozenset(SOURCES) - {"clips"})
    assert clips.names()
    assert clips.names() == clips.names("clips") == library.names("clips")
    # Clips alone leave doubt about the inside of a segment.
    doubt = [number for number in range(60) if (make_stream(library, 5, number).truth.certainty < 1.0).any()]
    assert doubt
    assert all((make_stream(neither, 5, number).truth.certainty == 1.0).all() for number in doubt)
    with pytest.raises(
        SettingsError, match=r"leave-out: there is no source music; choose from clips, generated, takes"
    ):
        load_library(recordings_folder, frozenset({"music"}))
    with pytest.raises(DataError, match="has no clips"):
        load_library(tmp_path, frozenset({"generated"}))
    with pytest.raises(SettingsError, match="data: name the folder of the CMU clips"):
        load_library(None, frozenset({"generated"}))


def test_annotated_recordings_come_with_their_boundaries(library: Library, tmp_path: Path) -> None:
    assert set(library.annotated) == {"takes", "mocap6", "gesturephase"}
    assert {"takes:walking", "takes:punching"} <= set(library.names("takes"))
    assert library.names("mocap6")
    assert not library.names("gesturephase")  # no body
    made = [make_stream(library, 7, number) for number in range(200) if kind_of(number) == "annotated"]
    assert {stream.canonical for stream in made} == {True, False}
    assert sum(len(stream.truth.boundaries) for stream in made) > 3 * len(made)
    for stream in made:
        check(stream)
    for source in ("takes", "mocap6", "gesturephase"):
        with pytest.raises(DataError, match=f"leave out {source}"):
            load_library(tmp_path, frozenset(SOURCES) - {source})


@pytest.mark.parametrize("scale", [0.5, 3.0, 40.0, 700.0])
def test_slow_noise_is_as_large_as_it_says_and_as_slow(scale: float) -> None:
    noise = smooth_noise(np.random.default_rng(0), 4000, 30, scale)
    assert noise.shape == (4000, 30)
    assert np.sqrt((noise**2).mean()) == pytest.approx(1.0, abs=0.12)
    # Gaussian noise of that width moves by 1 / (sqrt(2) scale) a frame.
    if scale > 1.0:
        assert np.diff(noise, axis=0).std() * scale * 2.0**0.5 == pytest.approx(1.0, abs=0.15)


def test_mirrored_twice_is_the_same(streams: list[TrainingStream]) -> None:
    frames = streams[0].frames
    there = mirrored(frames)
    left, right = (CANONICAL_CHANNELS.index(f"{side}_wrist.x") for side in ("left", "right"))
    np.testing.assert_array_equal(there[:, left], -frames[:, right])
    np.testing.assert_array_equal(mirrored(there), frames)


def test_a_phone_at_the_waist_feels_gravity_and_turning(library: Library) -> None:
    rng = np.random.default_rng(2)
    still = np.zeros((300, CHANNELS))
    still[:, :55] = library.standing(rng)
    turning = still.copy()
    turning[:, CANONICAL_CHANNELS.index("root.yaw_rate")] = 1.5
    for frames, turn in ((still, 0.0), (turning, 1.5)):
        several = [at_waist(np.random.default_rng(seed), frames) for seed in range(12)]
        channels = next(channels for channels in several if channels.shape == (300, 6))
        np.testing.assert_allclose(np.linalg.norm(channels[:, :3], axis=1), 1.0, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(channels[:, 3:], axis=1), turn, atol=1e-6)
