"""Each peer finds an obvious change, and none looks ahead."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import Recording, generate

from evaluation.quality.peers import MMD, PEERS, blind, chosen, one_label, run, true_boundaries
from evaluation.quality.peers.cache import PeerCache
from evaluation.quality.peers.centroids import nearest_centroid
from evaluation.quality.peers.peer import Peer
from evaluation.quality.peers.signal import components, standardised
from evaluation.quality.peers.two_window_mmd import statistic
from evaluation.quality.stream import AnnotatedStream, from_truth

RATE = 12.0
CHANGE_S = 25.0


def series(values: np.ndarray) -> AnnotatedStream:
    recording = Recording(values[:, None], RATE, ("value",), name="series")
    return AnnotatedStream("made", "series", recording, np.array([[CHANGE_S * RATE] * 3]), None)


def two_regimes() -> np.ndarray:
    """A slow wave about 0, then a jagged one about 3; one period a second."""
    rng = np.random.default_rng(1)
    time = np.arange(round(50 * RATE)) / RATE
    wave = np.where(time < CHANGE_S, np.sin(2 * np.pi * time), 3.0 + 2.0 * ((3.0 * time) % 1.0 - 0.5))
    return np.asarray(wave + 0.05 * rng.standard_normal(len(time)))


@pytest.fixture(scope="module")
def person() -> AnnotatedStream:
    return from_truth("made", generate(3, rate=60.0, n_segments=5, actions=("walk", "sit", "clap")))


@pytest.mark.parametrize("peer", PEERS, ids=[peer.package + "-" + peer.name.split()[0] for peer in PEERS])
def test_an_obvious_change_is_found(peer: Peer) -> None:
    if importlib.util.find_spec(peer.package) is None:
        pytest.skip(f"{peer.package} is not installed: make quality installs it")
    found, cpu_s = run(peer.name, series(two_regimes()))
    near = np.abs(found.boundaries - CHANGE_S * RATE) < 3.0 * RATE
    assert near.any()
    assert (found.emitted >= found.boundaries).all()
    assert cpu_s > 0


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.fast], ids=lambda peer: peer.name)
def test_what_comes_later_changes_nothing_before(peer: Peer) -> None:
    whole = series(two_regimes())
    half = series(two_regimes()[: round(40 * RATE)])
    found = [pair for pair in peer.boundaries(whole) if pair[1] < half.n_frames - 1]
    assert found == [pair for pair in peer.boundaries(half) if pair[1] < half.n_frames - 1]


def test_standardising_looks_at_nothing_later(person: AnnotatedStream) -> None:
    whole = standardised(person, 10.0)
    cut = AnnotatedStream("made", "cut", person.recording.slice(0, 600), person.truth[:0], None)
    assert np.allclose(standardised(cut, 10.0)[:90], whole[:90])


def test_floors(person: AnnotatedStream) -> None:
    assert len(one_label(person).boundaries) == 0
    cuts = blind(person)
    assert np.diff(cuts.boundaries).tolist() == [420] * (len(cuts.boundaries) - 1)
    oracle = true_boundaries(person)
    assert oracle.boundaries.tolist() == person.truth[:, 1].astype(int).tolist()


def test_a_pose_that_comes_back_gets_its_label_back_and_no_other_gets_it() -> None:
    person = from_truth("made", generate(3, rate=60.0, n_segments=9, actions=("walk", "sit", "clap")))
    truth = person.recording.truth
    assert truth is not None
    labels = nearest_centroid(person, truth.changes)
    assert labels is not None
    names: dict[int, set[str]] = {}
    for start, name in zip(truth.boundaries, truth.names, strict=True):
        names.setdefault(int(labels[start + 60]), set()).add(name)
    assert len(names) < 9
    assert all(len(of_label) == 1 for of_label in names.values())


def test_peers_are_chosen_by_cost() -> None:
    assert chosen("none") == ([], [])
    fast, _ = chosen("fast")
    every, missing = chosen("all")
    assert {peer.name for peer in fast} < {peer.name for peer in every} | set(missing)


def sensors(scale: float = 1.0) -> AnnotatedStream:
    """Six channels that swing, then hardly move at another level."""
    rng = np.random.default_rng(2)
    time = np.arange(round(50 * RATE)) / RATE
    swing = np.where(time < CHANGE_S, np.sin(2 * np.pi * 0.7 * time), 1.0)
    values = scale * (swing[:, None] * np.linspace(1.0, 3.0, 6) + 0.1 * rng.standard_normal((len(time), 6)) + 40.0)
    recording = Recording(values, RATE, tuple("abcdef"), name="sensors")
    labels = (time >= CHANGE_S).astype(np.int64)
    return AnnotatedStream("made", "sensors", recording, np.array([[CHANGE_S * RATE] * 3]), labels, ("swing", "hold"))


def test_sensors_have_no_unit() -> None:
    assert np.allclose(standardised(sensors(), 10.0), standardised(sensors(1e4), 10.0), atol=1e-6)
    assert components(sensors(), 10.0, 3).shape[1] == 3
    found, _ = run(MMD, sensors())
    assert (np.abs(found.boundaries - CHANGE_S * RATE) < RATE).sum() == 1
    assert found.labels is not None


def test_two_windows_differ_by_nothing_or_by_all_they_can() -> None:
    steady = np.tile(np.random.default_rng(0).standard_normal((10, 3)), (20, 1))
    assert statistic(steady, 30) == pytest.approx(0.0, abs=1e-6)
    jump = np.repeat(np.array([[0.0], [1.0]]), 100, axis=0) + 1e-3 * np.random.default_rng(0).standard_normal((200, 1))
    score = statistic(jump, 30)
    assert score.argmax() == 100
    assert 1.0 < score.max() <= np.sqrt(2.0)


def test_what_a_peer_said_is_found_again_as_long_as_nothing_changes(tmp_path: Path) -> None:
    peer = next(peer for peer in PEERS if peer.name == MMD)
    cache = PeerCache(tmp_path)
    assert cache.find(peer, sensors()) is None
    said, cpu_s = run(MMD, sensors())
    cache.keep(peer, sensors(), said, cpu_s)
    found = cache.find(peer, sensors())
    assert found is not None
    for one, other in zip(dataclasses.astuple(found[0]), dataclasses.astuple(said), strict=True):
        assert np.array_equal(one, other)
    assert found[1] == cpu_s
    assert cache.find(peer, sensors(2.0)) is None
    assert cache.find(dataclasses.replace(peer, settings="others"), sensors()) is None
    assert PeerCache(tmp_path, fresh=True).find(peer, sensors()) is None
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert cache.find(peer, sensors()) is None


def test_a_series_has_no_labels_in_the_cache_either(tmp_path: Path) -> None:
    peer = next(peer for peer in PEERS if peer.name == MMD)
    said, cpu_s = run(MMD, series(two_regimes()))
    PeerCache(tmp_path).keep(peer, series(two_regimes()), said, cpu_s)
    found = PeerCache(tmp_path).find(peer, series(two_regimes()))
    assert found is not None
    assert found[0].labels is None
