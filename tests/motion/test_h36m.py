"""The Human3.6M text layout: recognised, laid out on its skeleton, its root followed, and wrong files refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import CANONICAL_CHANNELS, MotionFileError, RecordingError, canonical_pose, read
from kineseg.motion.h36m import H36M_CHANNELS, h36m_positions
from kineseg.motion.h36m_skeleton import H36M_SKELETON
from numpy.typing import NDArray

ENDS = {
    name for joint, name in enumerate(H36M_SKELETON.names) if joint not in H36M_SKELETON.parents
}  # they close a bone and never turn


def standing(n_frames: int) -> NDArray[np.float64]:
    return np.zeros((n_frames, 99))


def column(name: str) -> int:
    return H36M_CHANNELS.index(name)


def test_99_columns_are_a_human36m_clip(tmp_path: Path) -> None:
    file = tmp_path / "walking_1.txt"
    frames = standing(4) + 0.01
    frames[:, [i for i, name in enumerate(H36M_CHANNELS) if name.split(".")[0] in ENDS]] = 0.0
    np.savetxt(file, frames, delimiter=",")
    recording = read(file)
    assert recording.rate == 50.0
    assert recording.channels == H36M_CHANNELS
    assert recording.joints == H36M_SKELETON.names
    assert recording.frames.shape == (4, 99)
    assert read(file, rate=25).rate == 25.0


def test_unturned_joints_stand_as_at_rest_and_bones_keep_their_lengths() -> None:
    np.testing.assert_allclose(h36m_positions(standing(2))[1], H36M_SKELETON.rest_positions())
    frames = np.random.default_rng(0).normal(scale=0.5, size=(20, 99))
    positions = h36m_positions(frames)
    bones = positions[:, 1:] - positions[:, list(H36M_SKELETON.parents[1:])]
    lengths = np.linalg.norm(H36M_SKELETON.offsets[1:], axis=1)
    np.testing.assert_allclose(np.linalg.norm(bones, axis=2), np.tile(lengths, (20, 1)), atol=1e-9)


def test_a_knee_bends_the_lower_leg_alone() -> None:
    frames = standing(1)
    frames[0, column("RightLeg.rx")] = -np.pi / 2
    bent, rest = h36m_positions(frames)[0], H36M_SKELETON.rest_positions()
    moved = {name for name, a, b in zip(H36M_SKELETON.names, bent, rest, strict=True) if not np.allclose(a, b)}
    assert moved == {"RightFoot", "RightToeBase", "RightToeBase_end"}
    foot = bent[H36M_SKELETON.index("RightFoot")] - bent[H36M_SKELETON.index("RightLeg")]
    np.testing.assert_allclose(foot, [0, 0, -454.206447], atol=1e-6)


def test_the_root_goes_on_from_where_it_was_in_the_direction_it_had_turned_to() -> None:
    frames = standing(3)
    frames[:, column("Hips.tz")] = 10.0
    frames[0, column("Hips.ry")] = -np.pi / 2  # the map of the inverse rotation: a quarter to the left
    hips = h36m_positions(frames)[:, 0]
    np.testing.assert_allclose(hips, [[0, 0, 10], [10, 0, 10], [20, 0, 10]], atol=1e-9)


def test_it_gives_the_canonical_pose(tmp_path: Path) -> None:
    file = tmp_path / "eating_2.txt"
    frames = standing(30)
    frames[:, column("LeftArm.rx")] = np.linspace(0, 1, 30)
    np.savetxt(file, frames, delimiter=",")
    pose = canonical_pose(read(file)).frames
    assert pose.shape == (30, len(CANONICAL_CHANNELS))
    assert np.isfinite(pose).all()
    height = [CANONICAL_CHANNELS.index(f"{joint}.y") for joint in ("head", "left_ankle")]
    assert (pose[:, height[0]] > pose[:, height[1]]).all()


def test_damage_is_named(tmp_path: Path) -> None:
    file = tmp_path / "walking_1.txt"
    np.savetxt(file, standing(4), delimiter=",")
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[2].rsplit(",", 1)[0], lines[3]]))
    with pytest.raises(MotionFileError, match="98 values where 99 were expected") as caught:
        read(file)
    assert caught.value.line == 3
    file.write_text("\n".join([lines[0], lines[1].replace("0.0", "nan", 1)]))
    with pytest.raises(MotionFileError, match="line 2"):
        read(file)
    with pytest.raises(RecordingError, match="99"):
        h36m_positions(np.zeros((3, 117)))
