"""Streams put together from clips: known joins, one moving body, and the same again from the same seed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from kineseg.motion import Recording, generate
from kineseg_training.data.assemble import Assembled, Rules, assemble

RATE = 60.0
ACTIONS = ("walk", "squat", "wave", "turn", "bow")


def clip(action: str, seed: int) -> Recording:
    return generate(seed, 5.0, RATE, actions=(action,), min_segment_s=5.0, noise=0.0, body_variation=0.0)


CLIPS = {action: [clip(action, 2 * i), clip(action, 2 * i + 1)] for i, action in enumerate(ACTIONS)}


@pytest.fixture(scope="module", params=range(4))
def made(request: pytest.FixtureRequest) -> Assembled:
    return assemble(CLIPS, request.param, name="made")


def points(made: Assembled) -> np.ndarray:
    return np.asarray(made.recording.positions)


def at_joins(made: Assembled, count: int) -> np.ndarray:
    """Which of `count` steps from frame to frame are in a join."""
    inside = np.zeros(count, dtype=bool)
    half = round(Rules().blend * RATE / 2) + 2
    for join in made.joins:
        inside[max(0, join - half) : join + half] = True
    return inside


def test_a_seed_gives_the_same_stream_again_and_another_one_another() -> None:
    one, again, other = (assemble(CLIPS, seed, name="x") for seed in (7, 7, 8))
    assert np.array_equal(one.recording.frames, again.recording.frames)
    assert one.recording.truth == again.recording.truth
    assert one.recording.truth != other.recording.truth


def test_segments_are_long_enough_and_some_actions_come_back(made: Assembled) -> None:
    truth = made.recording.truth
    assert truth is not None
    edges = [*truth.boundaries, made.recording.n_frames]
    assert len(truth.names) == 12
    assert min(b - a for a, b in pairwise(edges)) >= 4.0 * RATE
    assert all(a != b for a, b in pairwise(truth.names))
    assert len(set(truth.names)) < len(truth.names)


def test_a_join_does_not_say_that_the_action_changes(made: Assembled) -> None:
    truth = made.recording.truth
    assert truth is not None
    assert set(truth.changes) <= set(made.joins)
    assert len(made.joins) >= 1.5 * len(truth.changes)


def test_truth_allows_the_whole_join(made: Assembled) -> None:
    truth = made.recording.truth
    assert truth is not None
    for boundary, (earliest, latest) in list(zip(truth.boundaries, truth.tolerance, strict=True))[1:]:
        assert earliest < boundary < latest
        assert latest - earliest == round(Rules().blend * RATE)


def test_bones_keep_their_lengths(made: Assembled) -> None:
    skeleton = made.recording.skeleton
    assert skeleton is not None
    moved = points(made)
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            lengths = np.linalg.norm(moved[:, joint] - moved[:, parent], axis=1)
            assert np.ptp(lengths) < 1e-9 + 1e-6 * lengths.mean()


def test_nothing_jumps(made: Assembled) -> None:
    """Where postures pass over into each other, joints are little faster than they are anyway."""
    speeds = np.linalg.norm(np.diff(points(made), axis=0), axis=2).max(axis=1) * RATE
    inside = at_joins(made, len(speeds))
    assert speeds[inside].max() < 2.5 * speeds[~inside].max()
    assert np.median(speeds[inside]) < 3.0 * np.median(speeds[~inside])


def test_the_body_goes_on_from_where_it_stood_and_as_it_faced(made: Assembled) -> None:
    moved, joints = points(made), made.recording.joints
    hips = moved[:, joints.index("hips")][:, [0, 2]]
    across = moved[:, joints.index("left_hip")] - moved[:, joints.index("right_hip")]
    heading = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
    steps, turns = np.linalg.norm(np.diff(hips, axis=0), axis=1) * RATE, np.abs(np.diff(heading)) * RATE
    inside = at_joins(made, len(steps))
    assert steps[inside].max() < 1.5 * steps[~inside].max() + 0.5  # metres a second
    assert turns[inside].max() < turns[~inside].max() + 3.0  # radians a second


def test_long_clips_are_used_in_pieces() -> None:
    clips = {
        action: [generate(i, 20.0, RATE, actions=(action,), min_segment_s=20.0, max_segment_s=20.0)]
        for i, action in enumerate(("walk", "bow"))
    }
    made = assemble(clips, 0, name="pieces")
    assert all(later - earlier <= 5.0 * RATE for earlier, later in pairwise((0, *made.joins)))


def test_one_action_makes_no_stream() -> None:
    with pytest.raises(ValueError, match="at least two actions"):
        assemble({"walk": CLIPS["walk"]}, 0, name="alone")


def test_clips_of_different_rates_do_not_mix() -> None:
    slow = generate(0, 5.0, 30.0, actions=("squat",))
    with pytest.raises(ValueError, match="same rate"):
        assemble({"walk": CLIPS["walk"], "squat": [slow]}, 0, name="mixed")
