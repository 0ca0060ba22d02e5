"""Each circumstance changes what it says and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg.motion import CANONICAL_JOINTS, Recording, canonical_pose, generate

from evaluation.quality.perturb import (
    DROPPED_SHARE,
    PERTURBATIONS,
    STAMP_JITTER,
    badly_stamped,
    dropped,
    frozen,
    lost,
    mirrored,
    moved,
    played,
    reproportioned,
    resized,
    shakily_captured,
    turned,
)

PERSON = generate(seed=4, duration_s=50, rate=60)
POINTS = np.asarray(PERSON.positions)
AT = {joint: i for i, joint in enumerate(CANONICAL_JOINTS)}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def pose(recording: Recording) -> np.ndarray:
    return np.asarray(canonical_pose(recording).frames)


def test_every_name_is_there_once() -> None:
    names = [perturbation.name for perturbation in PERTURBATIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda p: p.name)
def test_the_motion_stays_one_of_this_body_and_length(perturbation: object) -> None:
    motion = perturbation.apply(PERSON, rng())  # type: ignore[attr-defined]
    assert motion.recording.joints == PERSON.joints
    assert motion.recording.duration_s * motion.tempo == pytest.approx(PERSON.duration_s, abs=0.1)
    again = perturbation.apply(PERSON, rng())  # type: ignore[attr-defined]
    np.testing.assert_array_equal(motion.recording.positions, again.recording.positions)


def test_another_rate_is_the_same_motion() -> None:
    slow = played(PERSON, rate=30.0).recording
    np.testing.assert_allclose(slow.positions, POINTS[::2][: slow.n_frames])
    fast = played(PERSON, rate=240.0).recording
    np.testing.assert_allclose(np.asarray(fast.positions)[::4], POINTS)


def test_a_faster_tempo_has_higher_speeds() -> None:
    speed = np.linalg.norm(np.diff(POINTS, axis=0), axis=2).mean()
    faster = np.asarray(played(PERSON, tempo=1.6).recording.positions)
    assert np.linalg.norm(np.diff(faster, axis=0), axis=2).mean() == pytest.approx(1.6 * speed, rel=0.1)


@pytest.mark.parametrize("timed", [True, False])
def test_dropped_frames_are_left_out_and_reported(timed: bool) -> None:
    motion = dropped(PERSON, rng(), timed=timed)
    assert motion.recording.n_frames == pytest.approx((1 - DROPPED_SHARE) * PERSON.n_frames, rel=0.02)
    assert motion.recording.timestamps is not None
    rows = np.rint(motion.recording.timestamps * 60).astype(int)
    np.testing.assert_array_equal(motion.recording.positions, POINTS[rows])
    assert motion.timed == timed
    if not timed:
        np.testing.assert_array_equal(motion.numbers, rows)


def test_bad_stamps_move_times_and_shaky_capture_moves_both() -> None:
    times = np.arange(PERSON.n_frames) / 60.0
    stamped, shaky = badly_stamped(PERSON, rng()), shakily_captured(PERSON, rng())
    for motion in (stamped, shaky):
        off = np.abs(motion.recording.times() - times) * 60.0
        assert 0.9 * STAMP_JITTER < off.max() <= STAMP_JITTER + 1e-9
        assert motion.timed
    np.testing.assert_array_equal(stamped.recording.positions, POINTS)
    hand = np.stack([np.interp(shaky.recording.times(), times, axis) for axis in POINTS[:, AT["left_wrist"]].T], axis=1)
    np.testing.assert_allclose(np.asarray(shaky.recording.positions)[:, AT["left_wrist"]], hand)


def test_a_frozen_joint_stands_still_and_a_lost_one_is_nowhere() -> None:
    still, gone = (np.asarray(how(PERSON, rng()).recording.positions) for how in (frozen, lost))
    missing = np.isnan(gone[..., 0])
    assert missing.sum() == 2 * 4 * 60  # two times four seconds of one joint
    assert missing.any(axis=0).sum() <= 2
    np.testing.assert_array_equal(gone[~missing], POINTS[~missing])
    for joint in np.flatnonzero(missing.any(axis=0)):
        first = int(missing[:, joint].argmax())
        assert (still[first : first + 240, joint] == POINTS[first, joint]).all()
    np.testing.assert_array_equal(still[~missing], POINTS[~missing])


def test_the_pose_is_the_same_turned_moved_and_of_another_size() -> None:
    for motion in (turned(PERSON, 130.0), moved(PERSON, 50.0), resized(PERSON, 100.0)):
        np.testing.assert_allclose(pose(motion.recording), pose(PERSON), atol=1e-8)


def test_a_mirror_image_of_a_mirror_image_is_the_original() -> None:
    once = mirrored(PERSON)
    np.testing.assert_allclose(
        np.asarray(once.recording.positions)[:, AT["left_wrist"]] * [-1, 1, 1], POINTS[:, AT["right_wrist"]]
    )
    np.testing.assert_array_equal(mirrored(once.recording).recording.positions, POINTS)


def test_other_proportions_keep_every_bones_direction() -> None:
    skeleton = PERSON.skeleton
    assert skeleton is not None
    other = np.asarray(reproportioned(PERSON).recording.positions)
    ratios = {}
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        before, after = POINTS[:, joint] - POINTS[:, parent], other[:, joint] - other[:, parent]
        lengths = np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1)
        ratios[skeleton.names[joint]] = float(np.median(lengths[1] / lengths[0]))
        np.testing.assert_allclose(after / lengths[1][:, None], before / lengths[0][:, None], atol=1e-9)
    assert ratios["left_knee"] == ratios["right_toe"] == pytest.approx(1.12)
    assert ratios["left_wrist"] == pytest.approx(0.88)
    assert ratios["head"] == pytest.approx(0.95)
