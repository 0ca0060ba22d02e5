"""The generator: seeded, rate-independent, anatomically constant, and its actions look like themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kineseg.motion import (
    CANONICAL_CHANNELS,
    CANONICAL_JOINTS,
    Recording,
    RecordingError,
    canonical_pose,
    generate,
    inject,
)
from kineseg.motion.synthetic import ACTIONS, FAULTS

AT = {joint: i for i, joint in enumerate(CANONICAL_JOINTS)}


def points(recording: Recording) -> np.ndarray:
    assert recording.positions is not None
    return recording.positions


def performing(action: str, **changes: Any) -> Recording:
    return generate(**({"seed": 5, "n_segments": 1, "actions": [action], "rate": 60, "noise": 0.0} | changes))


def channel(recording: Recording, name: str) -> np.ndarray:
    return canonical_pose(recording).frames[:, CANONICAL_CHANNELS.index(name)]


def test_it_says_that_it_is_synthetic() -> None:
    recording = generate(seed=4, duration_s=3)
    assert recording.synthetic
    assert recording.name.startswith("synthetic")


def test_the_seed_decides_everything() -> None:
    np.testing.assert_array_equal(generate(seed=1, duration_s=9).frames, generate(seed=1, duration_s=9).frames)
    assert not np.array_equal(generate(seed=1, duration_s=9).frames, generate(seed=2, duration_s=9).frames)


@settings(max_examples=5)
@given(st.integers(0, 10_000))
def test_every_rate_samples_the_same_motion(seed: int) -> None:
    fine = points(generate(seed, 12, 240, noise=0.0))
    for step in (2, 4, 8):
        coarse = points(generate(seed, 12, 240 / step, noise=0.0))
        np.testing.assert_allclose(coarse, fine[::step][: len(coarse)], atol=1e-9)
    odd = generate(seed, 12, 50.0, noise=0.0)
    assert odd.n_frames == 600
    near = points(odd)[::5]  # every 0.1 s
    np.testing.assert_allclose(near, fine[::24][: len(near)], atol=1e-6)


def test_the_truth_covers_the_recording_and_something_comes_back() -> None:
    for seed in range(6):
        recording = generate(seed, 60, 30)
        truth = recording.truth
        assert truth is not None
        assert recording.n_frames == 1800
        assert len(truth.labels) > len(set(truth.labels)) >= 3
        assert all(a != b for a, b in zip(truth.labels, truth.labels[1:], strict=False))
        lengths = np.diff([*truth.boundaries, recording.n_frames]) / 30
        assert lengths.min() > 3.9
        assert lengths.max() < 9.1


def test_a_pool_and_a_number_of_segments_can_be_asked_for() -> None:
    recording = generate(3, n_segments=7, actions=["walk", "clap"], min_segment_s=2, max_segment_s=3, rate=30)
    assert recording.truth is not None
    assert len(recording.truth.names) == 7
    assert set(recording.truth.names) == {"walk", "clap"}
    assert 14 <= recording.duration_s <= 21


def test_without_noise_bones_keep_their_lengths_and_with_it_noise_is_what_was_asked() -> None:
    clean = generate(8, 20, 60, noise=0.0)
    assert clean.skeleton is not None
    parents = list(clean.skeleton.parents[1:])
    lengths = np.linalg.norm(points(clean)[:, 1:] - points(clean)[:, parents], axis=2)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), atol=1e-12)
    noisy = generate(8, 20, 60, noise=0.01)
    assert np.std(points(noisy) - points(clean)) == pytest.approx(0.01, rel=0.02)


def test_people_differ() -> None:
    heights = [np.median(points(generate(seed, 5, 30, actions=["stand"]))[:, AT["head"], 1]) for seed in range(8)]
    assert 0.05 < np.ptp(heights) < 0.6
    same = [generate(seed, 5, 30, body_variation=0).skeleton for seed in range(2)]
    assert same[0] is not None
    assert same[1] is not None
    np.testing.assert_array_equal(same[0].offsets, same[1].offsets)


def test_there_are_many_actions_and_each_is_finite_and_of_human_speed() -> None:
    assert len(ACTIONS) >= 10
    for action in ACTIONS:
        where = points(performing(action))
        assert np.isfinite(where).all()
        assert np.linalg.norm(np.diff(where, axis=0), axis=2).max() * 60 < 15.0
        assert where[..., 1].min() > -0.1


@pytest.mark.parametrize("seed", range(8))
def test_passing_from_one_action_to_the_next_is_smooth(seed: int) -> None:
    where = points(generate(seed, 40, 240, noise=0.0, min_segment_s=2, max_segment_s=3))
    assert np.linalg.norm(np.diff(where, axis=0), axis=2).max() * 240 < 18.0


def test_walking_and_running_travel_forward_and_feet_do_not_slide() -> None:
    walk, run = performing("walk"), performing("run")
    speeds = []
    for recording in (walk, run):
        hips = points(recording)[:, 0, [0, 2]]
        speeds.append(np.linalg.norm(hips[-1] - hips[0]) / recording.duration_s)
        assert np.mean(channel(recording, "root.velocity_z")) > 0.5
    assert 0.9 < speeds[0] < 2.0 < speeds[1] < 4.5
    feet = points(walk)[:, [AT["left_toe"], AT["right_toe"]]]
    lower = feet[..., 1].argmin(axis=1)
    slide = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=2)[np.arange(len(lower) - 1), lower[:-1]]
    assert np.median(slide[np.diff(lower) == 0]) * 60 < 0.3 * speeds[0]


def test_actions_look_like_themselves() -> None:
    jump = points(performing("jump"))
    soles = jump[:, [AT["left_toe"], AT["right_toe"]], 1].min(axis=1)
    assert soles.max() - soles.min() > 0.2

    squat = points(performing("squat"))[:, 0, 1]
    assert squat.min() < 0.65 * squat.max()

    sit = points(performing("sit"))
    thigh = sit[:, AT["left_knee"]] - sit[:, AT["left_hip"]]
    assert (np.abs(thigh[:, 1]) < 0.35 * np.linalg.norm(thigh, axis=1)).all()

    wave = points(performing("wave"))
    wrists = wave[:, [AT["left_wrist"], AT["right_wrist"]], 1].mean(axis=0)
    assert wrists.max() > wave[:, AT["neck"], 1].mean()
    assert wrists.min() < wave[:, 0, 1].mean() + 0.1

    clap = points(performing("clap"))
    apart = np.linalg.norm(clap[:, AT["left_wrist"]] - clap[:, AT["right_wrist"]], axis=1)
    assert apart.min() < 0.2
    assert apart.max() > 0.35

    kick = points(performing("kick"))
    toes = kick[:, [AT["left_toe"], AT["right_toe"]], 1].max(axis=0)
    assert toes.max() > 0.6
    assert toes.min() < 0.3

    bow = performing("bow")
    assert channel(bow, "head.y").min() < 0.5 * channel(bow, "head.y").max()

    turn = channel(performing("turn"), "root.yaw_rate")
    assert np.abs(np.median(turn)) > 1.0

    circles = channel(performing("arm_circles"), "left_wrist.y")
    assert np.ptp(circles) > 0.5


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"actions": ["fly"]}, "actions"),
        ({"actions": []}, "actions"),
        ({"duration_s": 0}, "duration_s"),
        ({"duration_s": float("nan")}, "duration_s"),
        ({"n_segments": 0}, "n_segments"),
        ({"min_segment_s": 5, "max_segment_s": 4}, "min_segment_s"),
        ({"rate": 0}, "rate"),
        ({"noise": -1}, "noise"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(RecordingError) as caught:
        generate(**arguments)
    assert caught.value.field == field


PERSON = generate(seed=6, duration_s=20, rate=60)


def test_a_gap_takes_frames_out_and_keeps_the_clock() -> None:
    gapped = inject(PERSON, "gap", 5.0, 1.5)
    assert gapped.n_frames == PERSON.n_frames - 90
    assert gapped.timestamps is not None
    steps = np.diff(gapped.timestamps)
    assert steps.argmax() == 299
    assert steps.max() == pytest.approx(91 / 60)
    assert gapped.rate == 60
    (fault,) = gapped.faults
    assert (fault.kind, fault.start, fault.stop, fault.missing) == ("gap", 300, 300, 90)
    np.testing.assert_array_equal(gapped.frames[300:], PERSON.frames[390:])
    assert PERSON.truth is not None
    assert gapped.truth is not None
    kept = np.r_[0:300, 390 : PERSON.n_frames]
    np.testing.assert_array_equal(
        gapped.truth.frame_labels(gapped.n_frames), PERSON.truth.frame_labels(PERSON.n_frames)[kept]
    )


@settings(max_examples=40)
@given(st.floats(0.1, 18.0), st.floats(0.1, 12.0))
def test_any_gap_leaves_the_truth_of_the_frames_that_remain(start: float, length: float) -> None:
    assume(start + length < PERSON.duration_s - 0.1)
    gapped = inject(PERSON, "gap", start, length)
    (fault,) = gapped.faults
    kept = np.r_[0 : fault.start, fault.start + fault.missing : PERSON.n_frames]
    assert PERSON.truth is not None
    assert gapped.truth is not None
    np.testing.assert_array_equal(
        gapped.truth.frame_labels(gapped.n_frames), PERSON.truth.frame_labels(PERSON.n_frames)[kept]
    )


@pytest.mark.parametrize("kind", ["frozen", "jitter", "swapped"])
@pytest.mark.parametrize("seed", range(4))
def test_a_fault_of_joints_touches_those_joints_then_and_nothing_else(kind: str, seed: int) -> None:
    faulty = inject(PERSON, kind, 4.0, 2.0, seed=seed)
    (fault,) = faulty.faults
    assert (fault.kind, fault.start, fault.stop) == (kind, 240, 360)
    assert faulty.synthetic
    assert kind in faulty.name
    changed = np.argwhere((points(faulty) != points(PERSON)).any(axis=2))
    assert {faulty.joints[j] for j in changed[:, 1]} == set(fault.joints)
    assert changed[:, 0].min() >= 240
    assert changed[:, 0].max() == 359
    np.testing.assert_array_equal(faulty.frames, points(faulty).reshape(faulty.n_frames, -1))


def test_a_frozen_joint_stands_still_and_swapped_ones_change_places() -> None:
    frozen = inject(PERSON, "frozen", 4.0, 2.0, seed=1)
    joint = frozen.joints.index(frozen.faults[0].joints[0])
    assert np.ptp(points(frozen)[240:360, joint], axis=0).tolist() == [0, 0, 0]
    swapped = inject(PERSON, "swapped", 4.0, 2.0, seed=1)
    left, right = (swapped.joints.index(name) for name in swapped.faults[0].joints[:2])
    np.testing.assert_array_equal(points(swapped)[240:360, left], points(PERSON)[240:360, right])


def test_faults_add_up_and_a_slice_keeps_those_inside() -> None:
    faulty = inject(inject(PERSON, "frozen", 10.0, 2.0), "gap", 2.0, 1.0)
    assert [f.kind for f in faulty.faults] == ["frozen", "gap"]
    assert (faulty.faults[0].start, faulty.faults[0].stop) == (540, 660)
    part = faulty.slice(600)
    assert [(f.kind, f.start, f.stop) for f in part.faults] == [("frozen", 0, 60)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_outside_the_recording_is_refused(fault: str) -> None:
    for start, length in ((-1.0, 1.0), (50.0, 1.0), (1.0, 0.0)):
        with pytest.raises(RecordingError, match="no frames"):
            inject(PERSON, fault, start, length)


def test_faults_that_cannot_be() -> None:
    with pytest.raises(RecordingError, match="unknown fault 'rust'; there are: gap"):
        inject(PERSON, "rust", 1.0)
    with pytest.raises(RecordingError, match="before and after"):
        inject(PERSON, "gap", 0.0, 2.0)
    plain = Recording(frames=np.zeros((90, 1)), rate=30, channels=("a",))
    assert inject(plain, "gap", 1.0, 0.5).n_frames == 75
    with pytest.raises(RecordingError, match="no joint positions"):
        inject(plain, "jitter", 1.0)
