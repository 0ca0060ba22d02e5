"""The description of joints: what it refuses, and what it says of a frame."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from kineseg.motion import (
    JointFrames,
    Joints,
    MotionError,
    RecordingError,
    Skeleton,
    SkeletonError,
    canonical_pose,
    generate,
)
from kineseg.motion.kinematics import matrices_from_quaternions
from scipy.spatial.transform import Rotation

NAMES = ("root", "middle", "tip")
TREE: dict[str, Any] = {"names": NAMES, "parents": (-1, 0, 1), "offsets": [[0, 0, 0], [0, 2, 0], [1, 0, 0]]}
EULER: dict[str, Any] = {**TREE, "rotations": "euler", "euler_orders": ("ZXY", "Y", "")}


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"names": ()}, "names", "1 to 512"),
        ({"names": [f"j{i}" for i in range(513)]}, "names", "got 513"),
        ({"names": "abc"}, "names", "one string"),
        ({"names": ("a", "b", "a")}, "names", "'a' is there twice"),
        ({"names": ("a", "", "c")}, "names", "joint 1 needs a name"),
        ({"names": ("a", "x" * 129, "c")}, "names", "joint 1 needs a name"),
        ({"parents": (-1, 0)}, "parents", "2 parents for 3 joints"),
        ({"parents": (-1, 2, 1)}, "parents", "a parent must come before its children"),
        ({"parents": (-1, -1, 1)}, "parents", "only the first joint may be a root"),
        ({"parents": (0, 0, 1)}, "parents", "must be the root"),
        ({"parents": (-1, 7, 1)}, "parents", "has parent 7"),
        ({"parents": ("a", 0, 1)}, "parents", "whole numbers"),
        ({"parents": ()}, "parents", "give parents"),
        ({"offsets": [[0, 0, 0]]}, "offsets", r"shape \(3, 3\)"),
        ({"offsets": [[0, 0], [0, 0], [0, 0]]}, "offsets", r"shape \(joints, 3\)"),
        ({"offsets": [[0, 0, 0], [0, math.nan, 0], [0, 0, 0]]}, "offsets", "middle is not finite"),
        ({"offsets": [[0, 0, 0], [0, -2e9, 0], [0, 0, 0]]}, "offsets", "'middle' must lie within"),
        ({"offsets": "far"}, "offsets", "must be numbers"),
        ({"up": "x"}, "up", "'y', 'z'"),
        ({"unit": "foot"}, "unit", "'cm'"),
        ({"rotations": "matrices"}, "rotations", "'quaternions'"),
        ({"mapping": {"hips": "nowhere"}}, "mapping", "no joint 'nowhere'"),
        ({"mapping": {"belly": "root"}}, "mapping", "not a canonical joint"),
        ({"mapping": {"hips": 3}}, "mapping", "'hips' is not"),
        ({"mapping": "joints.toml"}, "mapping", "canonical joint to joint name"),
        ({"names": 3}, "names", "sequence of names, got int"),
        ({"mapping": {"hips": "x" * 10**6}}, "mapping", "'hips' is not"),
        ({"rotations": "quaternions", "offsets": ()}, "offsets", "give offsets, or send positions"),
        ({"rotations": "quaternions", "offsets": (), "parents": ()}, "parents", "give parents, or send positions"),
        ({"euler_orders": ("XYZ", "XYZ", "")}, "euler_orders", "sent as Euler angles"),
        ({"rotations": "euler"}, "euler_orders", "0 orders of Euler angles for 3 joints"),
        ({"rotations": "euler", "euler_orders": ("XYZ", "XYX", "")}, "euler_orders", "'middle' must be"),
        ({"rotations": "euler", "euler_orders": ("XYZ", "w", "")}, "euler_orders", "'middle' must be"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_field(changed: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(MotionError, match=message) as caught:
        Joints(**{**TREE, **changed})
    assert caught.value.field == field
    assert len(str(caught.value)) < 2000


def test_they_are_values() -> None:
    joints = Joints(**EULER)
    assert pickle.loads(pickle.dumps(joints)) == joints == Joints(**{**EULER, "names": list(NAMES)})
    assert joints != Joints(**TREE)
    assert joints.offsets == ((0.0, 0.0, 0.0), (0.0, 2.0, 0.0), (1.0, 0.0, 0.0))


def test_the_numbers_of_a_frame_are_named() -> None:
    assert Joints(names=NAMES).numbers[3:5] == ("middle.x", "middle.y")
    quaternions = Joints(**TREE, rotations="quaternions")
    assert quaternions.numbers[:5] == ("root.x", "root.y", "root.z", "root.rotation_x", "root.rotation_y")
    assert Joints(**EULER).numbers[3:] == ("root.Zrotation", "root.Xrotation", "root.Yrotation", "middle.Yrotation")
    for joints in (Joints(names=NAMES), quaternions, Joints(**EULER)):
        assert joints.width == len(joints.numbers)


def test_those_of_a_recording() -> None:
    person = generate(seed=1, duration_s=1, rate=30)
    joints = Joints.of(person)
    assert isinstance(joints.skeleton, Skeleton)
    assert person.skeleton is not None
    assert joints.skeleton.names == person.skeleton.names
    np.testing.assert_array_equal(joints.skeleton.offsets, person.skeleton.offsets)
    with pytest.raises(RecordingError, match="no joint positions"):
        Joints.of(canonical_pose(person))


def test_rotations_put_joints_where_they_are() -> None:
    """A quarter turn of the root about z, and of the middle about y."""
    expected = [[1, 2, 3], [-1, 2, 3], [-1, 2, 2]]
    rows = Joints(**EULER).rows([[1, 2, 3]], [[90, 0, 0, 90]])
    np.testing.assert_allclose(JointFrames(Joints(**EULER)).positions(rows)[0], expected, atol=1e-12)
    turned = Joints(**TREE, rotations="quaternions")
    half = math.sqrt(0.5)
    rows = turned.rows([[1, 2, 3]], [[[0, 0, half, half], [0, 5, 0, 5], [0, 0, 0, 0]]])
    np.testing.assert_allclose(JointFrames(turned).positions(rows)[0], expected, atol=1e-12)


def test_what_has_no_rotation_takes_along_only_what_hangs_on_it() -> None:
    turned = Joints(**TREE, rotations="quaternions")
    rows = turned.rows(np.zeros((1, 3)), [[[0, 0, 0, 1], [np.nan] * 4, [np.nan] * 4]])
    seen = ~np.isnan(JointFrames(turned).positions(rows)[0]).any(axis=1)
    assert seen.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("joints", "root", "rotations", "message"),
    [
        (Joints(names=NAMES), np.zeros((2, 3)), np.zeros((2, 3, 4)), "send positions"),
        (Joints(**TREE, rotations="quaternions"), np.zeros(3), np.zeros((1, 3, 4)), r"root must have shape \(frames"),
        (Joints(**TREE, rotations="quaternions"), np.zeros((2, 3)), np.zeros((2, 3, 3)), r"shape \(2, 3, 4\)"),
        (Joints(**TREE, rotations="quaternions"), np.zeros((2, 3)), np.zeros((1, 3, 4)), r"shape \(2, 3, 4\)"),
        (Joints(**EULER), np.zeros((2, 3)), np.zeros((2, 5)), r"shape \(2, 4\)"),
    ],
)
def test_rows_of_another_shape_are_refused(joints: Joints, root: Any, rotations: Any, message: str) -> None:
    with pytest.raises(SkeletonError, match=message):
        joints.rows(root, rotations)


def test_frames_of_another_width_are_refused() -> None:
    with pytest.raises(SkeletonError, match=r"shape \(frames, 9\), got \(2, 8\)"):
        JointFrames(Joints(names=NAMES)).positions(np.zeros((2, 8)))


@pytest.mark.parametrize("length", [1e-200, 1e-3, 1.0, 1e200])
def test_matrices_from_quaternions_of_any_length(length: float) -> None:
    turns = Rotation.random(50, rng=np.random.default_rng(0))
    np.testing.assert_allclose(matrices_from_quaternions(length * turns.as_quat()), turns.as_matrix(), atol=1e-12)


def test_a_quaternion_of_no_length_is_no_matrix() -> None:
    assert np.isnan(matrices_from_quaternions([0, 0, 0, 0])).all()
