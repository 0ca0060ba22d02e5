"""Each peer finds an obvious change, and none looks ahead."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from kineseg.motion import Recording, generate

from evaluation.quality.peers import PEERS, Peer, blind, chosen, one_label, run, true_boundaries
from evaluation.quality.peers.centroids import nearest_centroid
from evaluation.quality.peers.signal import standardised
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
