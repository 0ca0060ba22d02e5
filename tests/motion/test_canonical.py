"""The canonical pose: the same whoever moves, wherever, facing anywhere, and however the frames arrive."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import (
    CANONICAL_BONES,
    CANONICAL_CHANNELS,
    CANONICAL_JOINTS,
    Canonicalizer,
    JointMappingError,
    Recording,
    RecordingError,
    canonical_pose,
    canonical_positions,
    generate,
)

PERSON = generate(seed=11, duration_s=20, rate=60, min_segment_s=2, max_segment_s=4)
assert PERSON.positions is not None
POINTS = PERSON.positions
AT = {joint: i for i, joint in enumerate(CANONICAL_JOINTS)}


def channel(frames: np.ndarray, name: str) -> np.ndarray:
    return frames[:, CANONICAL_CHANNELS.index(name)]


def canonical(
    points: np.ndarray, *, chunks: Sequence[int] = (), skeleton: bool = True, rate: float = 60.0
) -> np.ndarray:
    canonicalizer = Canonicalizer(CANONICAL_JOINTS, rate, skeleton=PERSON.skeleton if skeleton else None)
    cuts = [0, *sorted(chunks), len(points)]
    return np.concatenate([canonicalizer.push(points[a:b]) for a, b in pairwise(cuts)])


def test_the_channels() -> None:
    assert len(CANONICAL_CHANNELS) == 59
    assert len(set(CANONICAL_CHANNELS)) == 59
    assert len(CANONICAL_JOINTS) == 19
    assert CANONICAL_CHANNELS[:3] == ("spine.x", "spine.y", "spine.z")
    assert CANONICAL_CHANNELS[54:] == (
        "hips.y",
        "root.velocity_x",
        "root.velocity_y",
        "root.velocity_z",
        "root.yaw_rate",
    )
    assert {joint for bone in CANONICAL_BONES for joint in bone} == set(CANONICAL_JOINTS)


@settings(max_examples=60)
@given(st.lists(st.integers(0, len(POINTS)), max_size=40), st.booleans())
def test_chunks_do_not_change_one_bit(chunks: list[int], skeleton: bool) -> None:
    np.testing.assert_array_equal(
        canonical(POINTS, chunks=chunks, skeleton=skeleton), canonical(POINTS, skeleton=skeleton)
    )


@pytest.mark.parametrize("skeleton", [True, False])
def test_frame_by_frame_is_the_same_to_the_bit(skeleton: bool) -> None:
    every_frame = canonical(POINTS, chunks=range(len(POINTS)), skeleton=skeleton)
    np.testing.assert_array_equal(every_frame, canonical(POINTS, skeleton=skeleton))


@settings(max_examples=30)
@given(st.floats(-10, 10), st.tuples(*[st.floats(-50, 50)] * 3), st.booleans())
def test_where_a_person_stands_and_faces_does_not_matter(
    angle: float, move: tuple[float, float, float], skeleton: bool
) -> None:
    cos, sin = np.cos(angle), np.sin(angle)
    turned = POINTS @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]).T + np.array(move)
    np.testing.assert_allclose(canonical(turned, skeleton=skeleton), canonical(POINTS, skeleton=skeleton), atol=1e-9)


@settings(max_examples=20)
@given(st.floats(0.01, 1000))
def test_the_unit_of_length_does_not_matter(scale: float) -> None:
    np.testing.assert_allclose(
        canonical(POINTS * scale, skeleton=False), canonical(POINTS, skeleton=False), rtol=1e-9, atol=1e-9
    )


@settings(max_examples=20)
@given(st.integers(1, len(POINTS) - 1))
def test_no_frame_looks_ahead(length: int) -> None:
    np.testing.assert_array_equal(
        canonical(POINTS[:length], skeleton=False), canonical(POINTS, skeleton=False)[:length]
    )


def test_a_z_up_source_gives_the_same_pose() -> None:
    z_up = POINTS[..., [2, 0, 1]]  # x forward, y left, z up: right-handed
    frames = Canonicalizer(CANONICAL_JOINTS, 60, skeleton=None, up="z").push(z_up)
    np.testing.assert_allclose(frames, canonical(POINTS, skeleton=False), atol=1e-12)


def test_axes_point_left_up_and_forward() -> None:
    frames = canonical(POINTS)
    assert (channel(frames, "left_hip.x") > 0).all()
    assert (channel(frames, "right_hip.x") < 0).all()
    assert (channel(frames, "head.y") > channel(frames, "left_knee.y")).all()
    walk = generate(seed=1, n_segments=1, actions=["walk"], rate=60, noise=0.0)
    frames = canonical_pose(walk).frames
    assert np.mean(channel(frames, "left_toe.z") - channel(frames, "left_ankle.z")) > 0.05
    assert np.mean(channel(frames, "root.velocity_z")) > 0.5
    assert abs(np.mean(channel(frames, "root.velocity_x"))) < 0.1
    assert np.ptp(channel(frames, "hips.y")) < 0.2


def test_velocities_are_per_second_at_any_rate() -> None:
    for rate in (24.0, 30.0, 60.0, 120.0, 240.0):
        points = np.repeat(POINTS[:1], 50, axis=0)
        frames = np.arange(50)[:, None, None]
        facing = np.array([0.0, 0.0, 1.0])
        left = (points[:, AT["left_hip"]] - points[:, AT["right_hip"]]) * [1, 0, 1]
        forward = np.cross(left, [0.0, 1.0, 0.0])[:, None]
        facing = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
        moved = canonical(points + 0.7 * frames / rate * facing, rate=rate)
        size = np.linalg.norm(POINTS[0, AT["head"]] - POINTS[0, AT["hips"]]) / np.linalg.norm(moved[0, 9:12])
        assert not moved[0, 55:].any()
        np.testing.assert_allclose(moved[1:, 57], 0.7 / size, rtol=1e-6)
        np.testing.assert_allclose(moved[1:, [55, 56, 58]], 0.0, atol=1e-9)


def test_turning_left_is_positive_and_passes_half_a_turn_smoothly() -> None:
    rate, speed = 60.0, 2.0
    angle = np.arange(600) / rate * speed
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    matrices = np.array([[cos, zero, sin], [zero, zero + 1, zero], [-sin, zero, cos]])
    still = np.repeat(POINTS[:1], 600, axis=0)
    frames = canonical(np.einsum("ijt,tkj->tki", matrices, still))
    np.testing.assert_allclose(channel(frames, "root.yaw_rate")[1:], speed, rtol=1e-6)


def test_the_heading_is_kept_while_the_hips_do_not_tell_it() -> None:
    points = np.repeat(POINTS[:1], 3, axis=0).copy()
    middle = (points[1, AT["left_hip"]] + points[1, AT["right_hip"]]) / 2
    points[1, AT["left_hip"]] = middle + np.array([0.0, 0.1, 0.001])
    points[1, AT["right_hip"]] = middle - np.array([0.0, 0.1, 0.001])
    frames = canonical(points)
    assert channel(frames, "root.yaw_rate").tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(frames[1, 9:12], frames[0, 9:12], atol=1e-12)


def test_a_first_frame_without_heading_and_a_body_without_size_stay_finite() -> None:
    frames = Canonicalizer(CANONICAL_JOINTS, 30).push(np.zeros((5, 19, 3)))
    assert np.isfinite(frames).all()


def test_hips_are_measured_from_the_lowest_joint() -> None:
    frames = canonical(POINTS)
    body = canonical_positions(frames)
    np.testing.assert_allclose(body[..., 1].min(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(body[:, 0, [0, 2]], 0.0)
    size = POINTS[:, 1:] - POINTS[:, :1]
    ratio = np.linalg.norm(size, axis=2) / np.linalg.norm(body[:, 1:] - body[:, :1], axis=2)
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-9)


def test_a_live_stream_and_a_file_are_the_same_code() -> None:
    pose = canonical_pose(PERSON)
    np.testing.assert_array_equal(pose.frames, canonical(POINTS, chunks=range(0, len(POINTS), 7)))
    assert pose.channels == CANONICAL_CHANNELS
    assert (pose.rate, pose.name, pose.truth, pose.synthetic) == (60.0, PERSON.name, PERSON.truth, True)
    assert canonical_pose(pose) is pose


def test_reset_forgets_what_was_pushed() -> None:
    canonicalizer = Canonicalizer(CANONICAL_JOINTS, 60)
    first = canonicalizer.push(POINTS[:100])
    canonicalizer.reset()
    np.testing.assert_array_equal(canonicalizer.push(POINTS[:100]), first)


def test_refused_frames_leave_the_stream_as_it_was() -> None:
    canonicalizer = Canonicalizer(CANONICAL_JOINTS, 60)
    first = canonicalizer.push(POINTS[:50])
    bad = POINTS[50:60].copy()
    bad[3, AT["left_knee"], 1] = np.inf
    with pytest.raises(RecordingError, match="frame 53: the position of 'left_knee' is not finite"):
        canonicalizer.push(bad)
    with pytest.raises(RecordingError, match="shape"):
        canonicalizer.push(POINTS[50:60, :5])
    with pytest.raises(RecordingError, match="every frame or with none"):
        canonicalizer.push(POINTS[50:60], np.arange(10) / 60)
    assert canonicalizer.push(POINTS[50:50]).shape == (0, 59)
    rest = canonicalizer.push(POINTS[50:])
    np.testing.assert_array_equal(np.concatenate([first, rest]), canonical(POINTS, skeleton=False))


LIMB_JOINTS = [joint for joint in CANONICAL_JOINTS if joint not in ("hips", "left_hip", "right_hip")]


@pytest.mark.parametrize("joint", LIMB_JOINTS)
def test_a_joint_that_is_not_seen_is_missing_and_nothing_else_changes(joint: str) -> None:
    points = POINTS.copy()
    points[100:200, AT[joint], 1] = np.nan
    frames, whole = canonical(points), canonical(POINTS)
    own = [CANONICAL_CHANNELS.index(f"{joint}.{axis}") for axis in "xyz"]
    assert np.isnan(frames[100:200, own]).all()
    frames[100:200, own] = whole[100:200, own]
    height = CANONICAL_CHANNELS.index("hips.y")  # unless it was the lowest one
    frames[100:200, height] = whole[100:200, height]
    np.testing.assert_allclose(frames, whole, atol=1e-9)
    chunks = canonical(points, chunks=range(0, len(points), 7))
    np.testing.assert_array_equal(chunks, canonical(points))


@pytest.mark.parametrize("joints", [("hips",), ("left_hip",), ("right_hip", "hips"), ("left_hip", "right_hip", "hips")])
def test_without_its_hips_the_body_goes_on_by_its_trunk(joints: tuple[str, ...]) -> None:
    points = POINTS.copy()
    points[100:160, [AT[joint] for joint in joints]] = np.nan
    frames, whole = canonical(points), canonical(POINTS)
    rows = slice(100, 160)
    seen = ~np.isnan(frames[rows])
    assert np.isnan(frames).any()
    assert np.abs(frames[rows] - whole[rows])[:, :54][seen[:, :54]].max() < 0.25  # body sizes
    assert np.abs(frames[rows] - whole[rows])[:, :54][seen[:, :54]].mean() < 0.05
    np.testing.assert_array_equal(frames[:100], whole[:100])
    np.testing.assert_allclose(frames[170:], whole[170:], atol=1e-9)
    np.testing.assert_array_equal(canonical(points, chunks=range(0, len(points), 7)), frames)


def test_a_body_that_was_never_seen_has_no_pose_until_it_is() -> None:
    points = POINTS.copy()
    points[:30] = np.nan
    frames = canonical(points, skeleton=False)
    assert np.isnan(frames[:30, :55]).all()
    assert np.isfinite(frames[40:]).all()


def test_speeds_are_right_across_frames_that_were_lost() -> None:
    kept = np.sort(np.random.default_rng(3).permutation(len(POINTS))[: len(POINTS) * 19 // 20])
    kept = np.union1d(kept, [0])
    times = kept / 60.0
    whole = canonical(POINTS)[kept]
    with_times = Canonicalizer(CANONICAL_JOINTS, 60, skeleton=PERSON.skeleton)
    frames = np.concatenate(
        [with_times.push(POINTS[kept][i : i + 9], times[i : i + 9]) for i in range(0, len(kept), 9)]
    )
    blind = canonical(POINTS[kept])
    np.testing.assert_array_equal(frames[:, :55], whole[:, :55])

    def error(found: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.square(found[:, 55:58] - whole[:, 55:58]))))

    assert error(frames) < 0.5 * error(blind)


def test_a_clock_that_is_off_is_no_motion() -> None:
    off = np.random.default_rng(4).uniform(-0.2, 0.2, len(POINTS))
    times = (np.arange(len(POINTS)) + off) / 60.0
    found = Canonicalizer(CANONICAL_JOINTS, 60, skeleton=PERSON.skeleton).push(POINTS, times)
    np.testing.assert_array_equal(found, canonical(POINTS))


@pytest.mark.parametrize("times", [[0.0, 0.1], [0.0, 0.1, 0.1], [0.0, np.nan, 0.2]])
def test_impossible_timestamps(times: list[float]) -> None:
    with pytest.raises(RecordingError) as caught:
        Canonicalizer(CANONICAL_JOINTS, 60).push(POINTS[:3], times)
    assert caught.value.field == "timestamps"


def test_without_positions_there_is_no_canonical_pose() -> None:
    recording = Recording(frames=np.zeros((3, 1)), rate=30, channels=("ecg",), name="heart")
    with pytest.raises(RecordingError, match=r"'heart' has no joint positions.*ecg"):
        canonical_pose(recording)


@pytest.mark.parametrize("missing", ["hips", "spine", "chest", "neck", "head", "left_toe", "right_toe"])
def test_a_joint_that_a_source_lacks_is_filled_in_nearby(missing: str) -> None:
    kept = [joint for joint in CANONICAL_JOINTS if joint != missing]
    stand = generate(seed=2, n_segments=1, actions=["stand"], rate=30, noise=0.0)
    assert stand.positions is not None
    points = stand.positions[:, [AT[joint] for joint in kept]]
    filled = canonical_positions(Canonicalizer(kept, 30).push(points))
    whole = canonical_positions(Canonicalizer(CANONICAL_JOINTS, 30).push(stand.positions))
    assert np.abs(filled - whole).max() < 0.12


def test_a_required_joint_that_is_missing_is_named_with_what_there_was() -> None:
    names = [joint for joint in CANONICAL_JOINTS if joint != "left_knee"]
    with pytest.raises(JointMappingError, match=r"no joint found for left_knee among: hips, spine, .*mapping"):
        Canonicalizer(names, 30)


def test_a_mapping_names_joints_that_names_do_not() -> None:
    names = [f"marker{i}" for i in range(19)]
    mapping = dict(zip(CANONICAL_JOINTS, names, strict=True))
    frames = Canonicalizer(names, 60, mapping=mapping).push(POINTS)
    np.testing.assert_array_equal(frames, canonical(POINTS, skeleton=False))
    with pytest.raises(JointMappingError, match="'elbow' is not a canonical joint"):
        Canonicalizer(names, 60, mapping={"elbow": "marker0"})
    with pytest.raises(JointMappingError, match="no joint 'marker99'"):
        Canonicalizer(names, 60, mapping={"hips": "marker99"})


@pytest.mark.parametrize(("rate", "up"), [(0, "y"), (-1, "y"), (float("nan"), "y"), (30, "x")])
def test_impossible_settings(rate: float, up: str) -> None:
    with pytest.raises(RecordingError):
        Canonicalizer(CANONICAL_JOINTS, rate, up=up)  # type: ignore[arg-type]


def test_a_skeleton_without_size_is_refused() -> None:
    assert PERSON.skeleton is not None
    flat = type(PERSON.skeleton)(PERSON.skeleton.names, PERSON.skeleton.parents, np.zeros((19, 3)))
    with pytest.raises(JointMappingError, match="no length"):
        Canonicalizer(CANONICAL_JOINTS, 30, skeleton=flat)
