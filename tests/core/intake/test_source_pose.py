"""Joints in, canonical poses out: what a file gives, whatever the chunks, gaps and holes."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import CANONICAL_CHANNELS, JointFrames, Joints, Recording, canonical_pose
from kineseg_core.errors import InvalidFrame, InvalidRequest, WrongChannels
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.source_pose import SourcePose, any_source, canonical_source
from kineseg_core.intake.taken import ChunkEnd, GapFound, Taken
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tests.recordings.bvh import SKELETON
from tests.recordings.person import doing

F32 = NDArray[np.float32]

N, RATE = 150, 60.0
PERIOD_NS = round(SECOND / RATE)
PERSON = doing("walk", N, RATE, seed=3)
assert PERSON.positions is not None
POSITIONS: F32 = PERSON.positions.astype(np.float32)
KNOWN = Joints.of(PERSON)  # with its size
UNKNOWN = Joints(names=KNOWN.names)
UNNAMED = Joints(names=[f"m{i}" for i in range(19)], mapping={name: f"m{i}" for i, name in enumerate(KNOWN.names)})
LYING = replace(KNOWN, up="z")
EULER = Joints(
    names=SKELETON.names,
    parents=SKELETON.parents,
    offsets=SKELETON.offsets,
    rotations="euler",
    euler_orders=["ZXY" if joint in SKELETON.parents else "" for joint in range(SKELETON.n_joints)],
)
QUATERNIONS = replace(EULER, rotations="quaternions", euler_orders=())


def angles() -> F32:
    """Rows of a BVH file: a body that sways and travels."""
    random, t = np.random.default_rng(0), np.arange(N)[:, None] / RATE
    root = np.concatenate([100 * t, 90 + np.sin(t), 20 * t], axis=1)
    sway = random.uniform(5, 40, EULER.width - 3) * np.sin(t * random.uniform(1, 5, EULER.width - 3))
    return np.concatenate([root, sway], axis=1).astype(np.float32)


def as_quaternions(rows: F32) -> F32:
    """The same turns as quaternions of many lengths; nothing of a joint that does not turn."""
    turns = np.zeros((len(rows), SKELETON.n_joints, 4))
    column = 3
    for joint, order in enumerate(EULER.euler_orders):
        if order:
            euler = rows[:, column : column + 3].astype(float)
            turns[:, joint] = (0.1 + joint) * Rotation.from_euler(order, euler, degrees=True).as_quat()
        column += len(order)
    return QUATERNIONS.rows(rows[:, :3], turns).astype(np.float32)


def intake(pose: SourcePose | None, rate: float = RATE) -> Intake:
    return Intake(CANONICAL_CHANNELS, None, rate, 30.0, IntakeLimits(max_gap_s=0.3), np.full(59, 0.5), pose)


def feed(into: Intake, rows: F32, at: Sequence[int], cuts: set[int], times: Sequence[int] = ()) -> list[Taken]:
    """Frames of these indices, cut into chunks at these rows and wherever frames are missing."""
    holes = {row for row in range(1, len(at)) if at[row] != at[row - 1] + 1}
    edges = sorted({0, len(at), *holes, *(cut for cut in cuts if cut < len(at))})
    taken: list[Taken] = []
    for begin, end in itertools.pairwise(edges):
        into = pickle.loads(pickle.dumps(into))
        taken += into.take(at[begin], np.ascontiguousarray(rows[begin:end], "<f4").tobytes(), times[begin:end])
    return taken


def seen(taken: Sequence[Taken]) -> tuple[bytes, list[object]]:
    """All of the model's frames, bit by bit, and in the order of time where they lie and what else was found."""
    blocks = [item for item in taken if isinstance(item, ModelFrames)]
    places = [place for b in blocks for place in zip(b.decided, b.decided_ns, b.start, b.start_ns, strict=True)]
    others = [item for item in taken if not isinstance(item, ModelFrames | ChunkEnd)]
    return b"".join(block.frames.tobytes() for block in blocks), [*places, *others]


def of_file(joints: Joints, positions: NDArray[np.floating], timestamps: NDArray[np.float64] | None = None) -> F32:
    """The canonical pose of the same positions, as a file has it."""
    file = Recording(
        frames=np.zeros((len(positions), 1)),
        rate=RATE,
        channels=("nothing",),
        skeleton=joints.skeleton,
        positions=positions.astype(np.float64),
        joints=tuple(joints.names),
        up=joints.up,
        mapping=joints.mapping,
        timestamps=timestamps,
    )
    return canonical_pose(file).frames.astype(np.float32)


@settings(max_examples=60)
@given(
    joints=st.sampled_from([KNOWN, UNKNOWN, UNNAMED, LYING]),
    lost=st.lists(st.tuples(st.integers(1, N - 2), st.integers(1, 30)), max_size=3),
    unseen=st.lists(
        st.tuples(st.integers(0, N - 1), st.integers(1, 60), st.integers(0, 18), st.integers(0, 2)), max_size=4
    ),
    cuts=st.sets(st.integers(1, N - 1), max_size=20),
    timed=st.booleans(),
    jitter=st.integers(0, 2**32 - 1),
)
def test_joints_give_the_rows_and_findings_of_the_canonical_pose_of_a_file(
    joints: Joints,
    lost: list[tuple[int, int]],
    unseen: list[tuple[int, int, int, int]],
    cuts: set[int],
    timed: bool,
    jitter: int,
) -> None:
    positions = POSITIONS.copy()
    for row, length, joint, axis in unseen:
        positions[row : row + length, joint, axis] = np.nan
    gone = {row for begin, length in lost for row in range(begin, begin + length)}
    at = [row for row in range(N) if row not in gone]
    rows = positions[at]
    off = np.random.default_rng(jitter).uniform(-0.15, 0.15, len(at)) * PERIOD_NS if timed else np.zeros(len(at))
    ns = np.round(np.array(at) * (SECOND / RATE) + off).astype(np.int64) - round(off[0])
    times = [5 * SECOND + int(time) for time in ns] if timed else []
    timestamps = ns / SECOND if timed or gone else None

    by_joints = feed(intake(canonical_source(joints, RATE)), rows.reshape(len(at), -1), at, cuts, times)
    by_channels = feed(intake(None), of_file(joints, rows, timestamps), at, set(), times)
    assert seen(by_joints) == seen(by_channels)


@settings(max_examples=30)
@given(st.sets(st.integers(1, N - 1), max_size=30), st.booleans())
def test_rotations_give_the_rows_of_the_positions_that_they_make(cuts: set[int], quaternions: bool) -> None:
    joints, rows = (QUATERNIONS, as_quaternions(angles())) if quaternions else (EULER, angles())
    rows[40:60, 7] = np.nan  # a joint of the trunk: what hangs on it is not seen
    positions = JointFrames(joints).positions(rows)
    assert np.isnan(positions[40:60]).any()
    assert not np.isnan(positions[40:60]).all()
    by_joints = feed(intake(canonical_source(joints, RATE)), rows, range(N), cuts)
    assert seen(by_joints) == seen(feed(intake(None), of_file(joints, positions), range(N), set()))


def test_quaternions_and_angles_say_the_same() -> None:
    poses = []
    for joints, rows in ((EULER, angles()), (QUATERNIONS, as_quaternions(angles()))):
        taken = feed(intake(canonical_source(joints, RATE)), rows, range(N), set())
        poses.append(np.concatenate([item.frames for item in taken if isinstance(item, ModelFrames)]))
    np.testing.assert_allclose(poses[0], poses[1], atol=2e-4)  # numbers of 1e2 degrees in single precision


def test_speed_is_that_between_the_frames_around_a_cut_and_size_and_heading_stay() -> None:
    """Where frames are missing for long the stream is cut, and the body goes on as it was."""
    into = intake(canonical_source(UNKNOWN, 30.0), 30.0)
    walk = POSITIONS[::2]
    moved = walk[-2:] + np.array([0.0, 0.0, 6.0], np.float32)
    taken = list(into.take(0, walk.tobytes(), ()))
    rows = list(into.take(len(walk) + 90, moved.tobytes(), ()))
    gaps = [item for item in rows if isinstance(item, GapFound)]
    assert [gap.cuts for gap in gaps] == [True]
    speed = CANONICAL_CHANNELS.index("root.velocity_z")
    before = np.concatenate([item.frames for item in taken if isinstance(item, ModelFrames)])
    after = next(item.frames for item in rows if isinstance(item, ModelFrames))
    assert abs(after[0, speed]) < 3 * np.abs(before[:, speed]).max()  # within a frame it would be a hundred times that
    np.testing.assert_allclose(after[0, :55], before[-1, :55], atol=0.2)  # posture: of the same size, facing that way


@pytest.mark.parametrize("value", [np.inf, -np.inf, 2e9])
def test_a_number_that_cannot_be_names_joint_and_axis_and_advances_nothing(value: float) -> None:
    rows = POSITIONS.reshape(N, -1).copy()
    into = intake(canonical_source(KNOWN, RATE))
    list(into.take(0, rows[:50].tobytes(), ()))
    before = pickle.dumps(into)
    bad = rows[50:60].copy()
    bad[4, 3 * KNOWN.names.index("left_wrist") + 2] = value
    with pytest.raises(InvalidFrame, match=r"frame 4 of the chunk has .* in channel 'left_wrist.z'"):
        into.take(50, bad.tobytes(), ())
    with pytest.raises(InvalidFrame, match=r"not a multiple of 228 \(57 numbers, from hips.x to right_toe.z, "):
        into.take(50, rows[50:51, :59].tobytes()[:-4], ())
    assert pickle.dumps(into) == before


def test_a_quaternion_without_length_is_refused_where_it_matters() -> None:
    rows = as_quaternions(angles())
    leaf = SKELETON.index("Hand_L")
    rows[:, 3 + 4 * leaf : 7 + 4 * leaf] = 0.0  # nothing hangs on a hand
    into = intake(canonical_source(QUATERNIONS, RATE))
    list(into.take(0, rows[:10].tobytes(), ()))
    spine = SKELETON.index("Spine")
    rows[12, 3 + 4 * spine : 7 + 4 * spine] = 0.0
    with pytest.raises(InvalidFrame, match="frame 2 of the chunk has a quaternion of length 0 for joint 'Spine'"):
        into.take(10, rows[10:20].tobytes(), ())
    assert into.received == 10


@settings(max_examples=40)
@given(st.data())
def test_no_body_however_small_or_far_makes_numbers_that_a_model_cannot_take(data: st.DataObject) -> None:
    joints = data.draw(st.sampled_from([KNOWN, UNKNOWN]))
    scale = data.draw(st.sampled_from([0.0, 1e-30, 1e-38, 1e-6, 1.0, 1e8]))
    rows = (POSITIONS[:40] * np.float32(scale)).reshape(40, -1)
    for _ in range(data.draw(st.integers(0, 5))):
        row, column = data.draw(st.integers(0, 39)), data.draw(st.integers(0, 56))
        rows[row, column] = data.draw(st.sampled_from([1e9, -1e9, 1e-40, 0.0, np.nan]))
    taken = feed(intake(canonical_source(joints, RATE)), rows, range(40), data.draw(st.sets(st.integers(1, 39))))
    frames = np.concatenate([item.frames for item in taken if isinstance(item, ModelFrames)])
    assert np.isfinite(frames).all()
    assert np.abs(frames).max() <= 1e9


def test_what_is_no_body_gives_its_positions_where_any_channels_will_do() -> None:
    joints = Joints(names=["base", "link", "tip"], up="z")
    with pytest.raises(WrongChannels, match="no joint found for left_shoulder"):
        canonical_source(joints, RATE)
    pose = any_source(joints, RATE, 9)
    assert pose.channels == pose.numbers == tuple(f"{name}.{axis}" for name in joints.names for axis in "xyz")
    rows = np.random.default_rng(0).normal(size=(20, 9)).astype(np.float32)
    rows[3, 4] = np.nan
    made, has_holes = pose.push(pose.positions(rows), np.arange(20), has_holes=True)
    assert made.tobytes() == rows.tobytes()
    assert has_holes
    with pytest.raises(WrongChannels, match="9 channels, of which the model takes at most 8"):
        any_source(joints, RATE, 8)


def test_a_body_without_size_at_rest_is_refused() -> None:
    flat = replace(KNOWN, offsets=np.zeros((19, 3)))
    for source in (canonical_source, lambda joints, rate: any_source(joints, rate, 512)):
        with pytest.raises(InvalidRequest, match="no length at rest") as caught:
            source(flat, RATE)
        assert caught.value.field.endswith("joints.offsets")
