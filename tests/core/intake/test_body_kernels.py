"""Kernels place and pose bodies, bit for bit, as the SDK's code does, and go on where it stopped."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import CANONICAL_JOINTS, Canonicalizer, JointFrames, Joints
from kineseg.motion.joint_mapping import REQUIRED_JOINTS
from kineseg_core.errors import InvalidFrame
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.source_pose import SourcePose, any_source, canonical_source
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

N = 60
OPTIONAL = tuple(joint for joint in CANONICAL_JOINTS if joint not in REQUIRED_JOINTS)
TREE = (-1, 0, 1, 1, 3, 0, 5, 5, 7)
"""Parents of a small tree of joints that is no body."""


def body(optional: Sequence[str], up: str, sized: bool) -> Joints:
    """A body with only some of the joints that it may lack."""
    names = [joint for joint in CANONICAL_JOINTS if joint in REQUIRED_JOINTS or joint in optional]
    offsets = np.random.default_rng(1).uniform(-1.0, 1.0, (len(names), 3))
    tree = {"parents": (-1, *range(len(names) - 1)), "offsets": offsets} if sized else {}
    return Joints(names=names, up=up, **tree)  # type: ignore[arg-type]


def pushed(pose: SourcePose, rows: F32, times: I64, edges: Sequence[int]) -> F32:
    """Poses of rows that come in chunks between these edges, the stream taken up anew before each."""
    poses = []
    for begin, end in itertools.pairwise(edges):
        pose = pickle.loads(pickle.dumps(pose))
        part = rows[begin:end]
        made, has_holes = pose.push(pose.positions(part), times[begin:end], has_holes=bool(np.isnan(part).any()))
        assert has_holes or not np.isnan(made).any()
        poses.append(made)
    return np.concatenate(poses)


def same_numbers(a: NDArray[np.floating], b: NDArray[np.floating]) -> bool:
    """The same bits, but that there are many NaN."""
    holes = np.isnan(a)
    return np.array_equal(holes, np.isnan(b)) and a[~holes].tobytes() == b[~holes].tobytes()


@settings(max_examples=120)
@given(
    optional=st.sets(st.sampled_from(OPTIONAL)),
    up=st.sampled_from(["y", "z"]),
    sized=st.booleans(),
    rate=st.one_of(st.sampled_from([1.0, 30.0, 45.0, 60.0, 120.0, 1000.0]), st.floats(1.0, 1000.0)),
    exponent=st.sampled_from([-38, -6, 0, 3, 8]),
    still=st.booleans(),
    steps=st.lists(st.integers(200, 7000), min_size=N, max_size=N),
    unseen=st.lists(st.tuples(st.integers(0, N - 1), st.integers(1, 20), st.integers(0, 18)), max_size=3),
    edges=st.sets(st.integers(1, N - 1), max_size=15),
    seed=st.integers(0, 2**32 - 1),
)
def test_poses_are_those_of_the_sdk(
    optional: set[str],
    up: str,
    sized: bool,
    rate: float,
    exponent: int,
    still: bool,
    steps: list[int],
    unseen: list[tuple[int, int, int]],
    edges: set[int],
    seed: int,
) -> None:
    joints = body(sorted(optional), up, sized)
    random = np.random.default_rng(seed)
    positions = random.standard_normal((N, len(joints.names), 3)).cumsum(axis=0)
    if still:
        positions[:] = np.round(positions[:1])
    rows = np.clip(positions * 10.0**exponent, -1e9, 1e9).astype(np.float32)
    rows[random.random(rows.shape) < 0.05] = -0.0
    for begin, length, joint in unseen:
        rows[begin : begin + length, joint % len(joints.names)] = np.nan
    times = np.cumsum(np.array(steps) * SECOND / rate / 1000.0).astype(np.int64)
    found = pushed(canonical_source(joints, rate), rows.reshape(N, -1), times, sorted({0, N} | edges))
    reference = Canonicalizer(joints.names, rate, skeleton=joints.skeleton, up=joints.up)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        expected = np.clip(reference.push(rows, times / SECOND), -1e9, 1e9).astype(np.float32)
    assert same_numbers(found, expected)


@settings(max_examples=60)
@given(
    exponents=st.lists(st.integers(-6, 8), min_size=len(TREE), max_size=len(TREE)),
    reach=st.sampled_from([1.0, 1e9]),
    unseen=st.sets(st.integers(0, 20 * (3 + 4 * len(TREE)) - 1), max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_joints_are_where_quaternions_of_any_length_turn_them(
    exponents: list[int], reach: float, unseen: set[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    joints = Joints(
        names=[str(joint) for joint in range(len(TREE))],
        parents=TREE,
        offsets=random.uniform(-reach, reach, (len(TREE), 3)),
        rotations="quaternions",
    )
    turns = random.standard_normal((20, len(TREE), 4))
    turns[random.random(turns.shape) < 0.1] = 0.0
    turns[..., 3] = np.where((turns == 0.0).all(axis=2), 1.0, turns[..., 3])
    turns *= 10.0 ** np.array(exponents)[:, None]
    rows = joints.rows(random.standard_normal((20, 3)), turns).astype(np.float32)
    rows.flat[sorted(unseen)] = np.nan
    expected = JointFrames(joints)
    pose = any_source(joints, 60.0, 512)
    if expected.without_rotation(rows) is None:
        assert same_numbers(pose.positions(rows), np.clip(expected.positions(rows), -1e9, 1e9))
    else:
        with pytest.raises(InvalidFrame, match="a quaternion of length 0"):
            pose.positions(rows)


def test_a_quaternion_just_long_enough_is_taken_by_both() -> None:
    joints = Joints(names=["a", "b"], parents=(-1, 0), offsets=np.eye(2, 3), rotations="quaternions")
    for length in np.float32(1e-6), np.nextafter(np.float32(1e-6), np.float32(0.0)):
        rows = np.array([[0, 0, 0, 0, 0, 0, length, 0, 0, 0, 1]], np.float32)
        is_long = JointFrames(joints).without_rotation(rows) is None
        assert is_long == (length == np.float32(1e-6))
        if is_long:
            assert any_source(joints, 60.0, 512).positions(rows).tolist() == [[[0, 0, 0], [0, 1, 0]]]
        else:
            with pytest.raises(InvalidFrame, match="joint 'a'"):
                any_source(joints, 60.0, 512).positions(rows)
