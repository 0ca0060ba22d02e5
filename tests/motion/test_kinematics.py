"""Forward kinematics and its rotations, against SciPy and a plain recursion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import Skeleton, SkeletonError, forward_kinematics
from kineseg.motion.kinematics import matrices_from_euler, matrices_from_expmap
from scipy.spatial.transform import Rotation


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 1e-5, 1e-4, 1e-2, 1.0, 3.1, 7.0]))
def test_exponential_maps_agree_with_scipy(seed: int, size: float) -> None:
    vectors = size * np.random.default_rng(seed).standard_normal((20, 3))
    np.testing.assert_allclose(
        matrices_from_expmap(vectors), Rotation.from_rotvec(vectors).as_matrix(), rtol=0, atol=1e-13
    )


def test_no_rotation_is_exactly_the_identity() -> None:
    assert np.array_equal(matrices_from_expmap(np.zeros((2, 3))), np.broadcast_to(np.eye(3), (2, 3, 3)))


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "ZXZ", "XY", "Z", "yxz"])
def test_euler_angles_agree_with_scipy(order: str) -> None:
    angles = np.random.default_rng(1).uniform(-4, 4, size=(50, len(order)))
    expected = Rotation.from_euler(order.upper(), angles).as_matrix()
    np.testing.assert_allclose(matrices_from_euler(angles, order), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("order", ["XYW", "XY", "XYZX"])
def test_an_euler_order_that_does_not_fit_is_refused(order: str) -> None:
    with pytest.raises(SkeletonError, match="Euler order"):
        matrices_from_euler(np.zeros((4, 3)), order)


def test_positions_agree_with_a_chain_of_homogeneous_matrices() -> None:
    rng = np.random.default_rng(2)
    skeleton = Skeleton(tuple("abcdef"), (-1, 0, 1, 1, 3, 0), rng.standard_normal((6, 3)))
    rotations = Rotation.random(4 * 6, rng=rng).as_matrix().reshape(4, 6, 3, 3)
    root = rng.standard_normal((4, 3))
    moves = rng.standard_normal((4, 6, 3))

    def expected(frame: int, joint: int, steps: np.ndarray) -> np.ndarray:
        matrix = np.eye(4)
        matrix[:3, :3] = rotations[frame, joint]
        matrix[:3, 3] = root[frame] if joint == 0 else steps[joint]
        parent = skeleton.parents[joint]
        return matrix if parent < 0 else expected(frame, parent, steps) @ matrix

    fixed = forward_kinematics(skeleton, rotations, root)
    moving = forward_kinematics(skeleton, rotations, root, joint_translations=moves)
    for frame in range(4):
        for joint in range(6):
            np.testing.assert_allclose(fixed[frame, joint], expected(frame, joint, skeleton.offsets)[:3, 3], atol=1e-12)
            np.testing.assert_allclose(moving[frame, joint], expected(frame, joint, moves[frame])[:3, 3], atol=1e-12)


def test_shapes_that_do_not_fit_the_skeleton_are_refused() -> None:
    skeleton = Skeleton(("a", "b"), (-1, 0), np.zeros((2, 3)))
    with pytest.raises(SkeletonError, match="rotations must have shape"):
        forward_kinematics(skeleton, np.zeros((5, 3, 3, 3)), np.zeros((5, 3)))
    with pytest.raises(SkeletonError, match="joint_translations must have shape"):
        forward_kinematics(skeleton, np.zeros((5, 2, 3, 3)), np.zeros((5, 3)), joint_translations=np.zeros((5, 3, 3)))
