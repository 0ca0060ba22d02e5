"""One fault a trial, all kinds at the same places; a detector that branches there sees what it would see."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg.motion import Recording, generate

from evaluation.alerts.joints import parents_of, with_neighbours
from evaluation.alerts.ours import Monitor
from evaluation.alerts.peers.half_space_trees import Trees
from evaluation.alerts.peers.pca_error import PcaError
from evaluation.alerts.peers.robust_z import LargestZ, OverallZ
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.trials import FIRST_S, SEEN_S, Trial, trials
from evaluation.alerts.watch import Detector, watch


def body(seed: int = 3, duration_s: float = 32.0) -> AlertStream:
    recording = generate(seed, duration_s=duration_s, rate=30.0)
    return AlertStream("generated", recording.name, recording, parents_of(recording))


def sensors(duration_s: float = 32.0, rate: float = 20.0) -> AlertStream:
    rng = np.random.default_rng(5)
    at = np.arange(round(duration_s * rate))[:, None] / rate
    values = np.sin(2 * np.pi * at * np.array([0.5, 0.7, 1.1])) + 0.05 * rng.standard_normal((len(at), 3))
    return AlertStream("sensors", "one", Recording(values, rate, ("acc_x", "acc_y", "acc_z")))


BODY, SENSORS = body(), sensors()
BODY_TRIALS, SENSOR_TRIALS = trials(BODY, 1, seed=1), trials(SENSORS, 1, seed=1)


def test_all_kinds_are_at_every_place_and_in_the_order_of_places() -> None:
    two = trials(body(duration_s=60.0), 2, seed=1)
    assert len(two) == 34
    assert len({trial.kind.name for trial in two}) == 17
    starts = [trial.first for trial in two]
    assert starts == sorted(starts)
    assert len(set(starts)) == 2
    assert len(SENSOR_TRIALS) == 14
    assert trials(body(duration_s=20.0), 2, seed=1) == []


@pytest.mark.parametrize(("stream", "made"), [(BODY, BODY_TRIALS), (SENSORS, SENSOR_TRIALS)], ids=["body", "channels"])
def test_a_trial_says_where_its_fault_is(stream: AlertStream, made: list[Trial]) -> None:
    period_s = 1.0 / stream.recording.rate
    for trial in made:
        assert trial.start_s >= FIRST_S
        assert abs(trial.stop_s - trial.start_s - trial.kind.duration_s) <= period_s + 1e-9
        assert trial.stop_s + SEEN_S - 2 * period_s <= trial.times[-1] <= trial.stop_s + SEEN_S
        assert set(trial.units) <= set(stream.units)
        before = trial.times < trial.stop_s - 1e-9
        rows = np.round(trial.times * stream.recording.rate).astype(int)
        differs = ~np.isclose(trial.values, stream.values[rows], equal_nan=True).reshape(len(rows), -1).all(axis=1)
        assert not differs[~before].any(), trial.kind.name  # after its end, all is as it was


def test_seeds_choose_and_equal_seeds_choose_the_same() -> None:
    again, other = trials(BODY, 1, seed=1), trials(BODY, 1, seed=2)
    assert all(np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(BODY_TRIALS, again, strict=True))
    assert BODY_TRIALS[0].start_s != other[0].start_s


@pytest.mark.parametrize("make", [LargestZ, OverallZ, PcaError, Trees, lambda stream: Monitor(stream, 6.0)])
@pytest.mark.parametrize(("stream", "made"), [(BODY, BODY_TRIALS), (SENSORS, SENSOR_TRIALS)], ids=["body", "channels"])
def test_a_branch_is_as_if_the_whole_had_been_watched(
    make: type[LargestZ], stream: AlertStream, made: list[Trial]
) -> None:
    watched = watch(make(stream), stream, made)
    assert len(watched.clean.scores) == len(stream.values)
    for number in (0, 5, len(made) - 1):
        trial, whole = made[number], make(stream)
        first = trial.first
        values = np.concatenate([stream.values[:first], trial.values])
        scores = _in_blocks(whole, values, np.concatenate([stream.times[:first], trial.times]))
        np.testing.assert_allclose(watched.faulty[number].scores, scores[first:], rtol=1e-6, atol=1e-9)
        late = [alarm for alarm in whole.alarms if alarm.at_s >= trial.times[0]]
        assert list(watched.faulty[number].alarms) == late


def _in_blocks(detector: Detector, values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """As it would come in pieces that have nothing to do with the fault."""
    cuts = range(0, len(values), 37)
    return np.concatenate([detector.update(values[at : at + 37], times[at : at + 37]) for at in cuts])


def test_neighbours_are_a_bone_away_or_of_the_same_sensor() -> None:
    assert with_neighbours(BODY, ["left_wrist"]) == {"left_wrist", "left_elbow"}
    assert with_neighbours(BODY, ["left_elbow"]) == {"left_shoulder", "left_elbow", "left_wrist"}
    assert with_neighbours(SENSORS, ["acc_x"]) == {"acc_x", "acc_y", "acc_z"}


def test_a_body_without_a_tree_gets_that_of_its_names() -> None:
    recording = BODY.recording
    assert recording.skeleton is not None
    bare = Recording(recording.frames, 30.0, recording.channels, positions=recording.positions, joints=recording.joints)
    assert parents_of(bare) == recording.skeleton.parents
