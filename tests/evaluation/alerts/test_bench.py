"""The whole bench on a little generated motion: measured, tabled, drawn and written."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import Recording, generate

from evaluation.alerts.__main__ import main
from evaluation.alerts.cost import measure_cost
from evaluation.alerts.faults import EXACT_KINDS, found, of_kinds, share
from evaluation.alerts.joints import parents_of
from evaluation.alerts.measure import measure_set
from evaluation.alerts.peers import PEERS, Peer
from evaluation.alerts.peers.cache import PeerCache
from evaluation.alerts.results import BUDGETS, MIDDLE, OURS, SetResult
from evaluation.alerts.run import write
from evaluation.alerts.sets import SETS
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.tables import tables
from evaluation.alerts.targets import reached
from evaluation.alerts.trials import trials
from evaluation.quality.errors import QualityError
from evaluation.quality.places import data_folder

FAST: list[Peer] = [peer for peer in PEERS if peer.name.startswith(("robust", "PCA"))]


def in_motion(seed: int) -> AlertStream:
    recording = generate(seed, duration_s=32.0, rate=30.0)
    assert recording.truth is not None
    boundaries = tuple(at / 30.0 for at in recording.truth.boundaries[1:])
    return AlertStream("generated", recording.name, recording, parents_of(recording), boundaries)


def shaken(number: int) -> AlertStream:
    rng = np.random.default_rng(number)
    values = rng.standard_normal((900, 2))
    values[500:520] += 30.0
    return AlertStream("falls", f"s{number}", Recording(values, 30.0, ("a", "b")), events=((500 / 30.0, 520 / 30.0),))


@pytest.fixture(scope="module")
def workers() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(scope="module")
def generated(workers: Executor, tmp_path_factory: pytest.TempPathFactory) -> SetResult:
    streams = [in_motion(11)]
    put_in = [tuple(trials(stream, 1, seed=3)) for stream in streams]
    return measure_set("generated", streams, put_in, FAST, workers, PeerCache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def falls(workers: Executor, tmp_path_factory: pytest.TempPathFactory) -> SetResult:
    streams = [shaken(0), shaken(1)]
    return measure_set("falls", streams, [(), ()], FAST, workers, PeerCache(tmp_path_factory.mktemp("cache")))


def test_what_rules_can_tell_is_found_at_every_budget(generated: SetResult) -> None:
    exact = of_kinds([kind for kind in EXACT_KINDS if kind != "unit"])
    for per_hour in BUDGETS:
        assert share(generated.stated_outcomes[per_hour], found, exact).value == 1.0
    assert set(generated.methods) == {OURS, *(peer.name for peer in FAST)}
    assert all(len(outcomes) == 17 for outcomes in generated.best_outcomes.values())
    best = generated.best_outcomes["robust z-score, largest", MIDDLE]
    assert share(best, found, of_kinds(["unit"])).value == 1.0


def test_events_that_anyone_would_find_are_found(falls: SetResult) -> None:
    outcomes = {each.asked.name: each for each in reached([falls])}
    assert outcomes["falls found at 6 an hour, best threshold"].value == 1.0
    assert outcomes["falls minus best peer, 6 an hour"].holds
    assert outcomes["kind right"].verdict == "not run"
    assert not outcomes["kind right"].holds


def test_the_page_has_all_tables_and_a_picture(generated: SetResult, falls: SetResult, tmp_path: Path) -> None:
    results = [generated, falls]
    figures = reached(results)
    write(tmp_path, "alerts.md", tables(results, figures), results, "dev", ["x: is not installed"])
    page = (tmp_path / "alerts.md").read_text()
    for said in (
        "## Targets", "## Faults found", "## generated: generated motion", "## Real events found", "| growing tremor |",
        "## Alarms where nothing is wrong", "## Alarms within 1 s of a boundary", "x: is not installed",
        "generated (17)",
    ):  # fmt: skip
        assert said in page
    assert (tmp_path / "alerts" / "by-kind.png").read_bytes().startswith(b"\x89PNG")


def test_peers_are_not_asked_twice_about_the_same(workers: Executor, tmp_path: Path) -> None:
    stream, peer = in_motion(12), FAST[0]
    put_in = tuple(trials(stream, 1, seed=3))
    cache = PeerCache(tmp_path)
    assert cache.find(peer, stream, put_in) is None
    measured = measure_set("generated", [stream], [put_in], [peer], workers, cache).peers[peer.name][0]
    kept = cache.find(peer, stream, put_in)
    assert kept is not None
    np.testing.assert_array_equal(kept.clean.scores, measured.clean.scores)
    for one, two in zip(kept.faulty, measured.faulty, strict=True):
        np.testing.assert_array_equal(one.scores, two.scores)
    assert cache.find(peer, stream, put_in[:-1]) is None  # other trials
    assert cache.find(FAST[1], stream, put_in) is None
    assert PeerCache(tmp_path, fresh=True).find(peer, stream, put_in) is None
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    assert cache.find(peer, stream, put_in) is None


@pytest.mark.parametrize("name", [peer.name for peer in PEERS if peer not in FAST])
def test_a_peer_scores_every_frame_of_bodies_and_of_channels(name: str) -> None:
    peer = next(peer for peer in PEERS if peer.name == name)
    pytest.importorskip(peer.package)
    for stream in (in_motion(13), shaken(2)):
        detector = peer.make(stream)
        values = np.array(stream.values)
        values[600:610, 0] = np.nan
        scores = np.concatenate([detector.update(values[:500], stream.times[:500]),
                                 detector.update(values[500:], stream.times[500:])])  # fmt: skip
        assert scores.shape == stream.times.shape
        assert np.isfinite(scores).all()
        assert np.ptp(scores) > 0.0
        assert detector.alarms == []


def test_cost_is_measured() -> None:
    cost = measure_cost(streams=2, warm_s=1.0, state_s=2.0)
    assert cost.frame_us > 0.0
    assert cost.state_kib > 0.0


@pytest.mark.parametrize("name", ["motionless", "autoregressive", "walks", "generated"])
def test_what_is_of_our_own_making_follows_from_the_seed(name: str) -> None:
    one, again, other = (SETS[name].load(seed) for seed in (1, 1, 2))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
    assert not np.array_equal(one[0].values, other[0].values)


@pytest.mark.data
@pytest.mark.parametrize("name", ["cmu", "mocap6", "utkinect", "hapt", "actrectut", "gesturephase", "falls", "skab"])
def test_recorded_sets_are_read(name: str) -> None:
    try:
        data_folder()
    except QualityError as error:
        pytest.skip(str(error))
    streams = SETS[name].load(1)
    assert len({stream.name for stream in streams}) == len(streams)
    for stream in streams:
        assert len(stream.parents) == (len(stream.units) if stream.is_body else 0)
        assert bool(stream.events) == SETS[name].has_events
        assert stream.recording.rate <= 60.0
        assert all(0.0 <= start < stop <= stream.recording.duration_s + 2.0 for start, stop in stream.events)


def test_data_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KINESEG_DATA", str(tmp_path / "nowhere"))
    assert main(["--only", "skab", "--no-peers", "--out", str(tmp_path)]) == 1
    assert "set KINESEG_DATA" in capsys.readouterr().err
