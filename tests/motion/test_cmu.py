"""The CMU readers on clips and takes in both layouts, and on files that only look like them."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import CANONICAL_CHANNELS, CANONICAL_JOINTS, MotionFileError, Recording, canonical_pose, read
from kineseg.motion.cmu import cmu_positions
from kineseg.motion.cmu_skeleton import CMU_BONE_AXES, CMU_END_JOINTS, CMU_SKELETON
from scipy.io import savemat
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="module")
def walking(cmu_folder: Path) -> Recording:
    return read(cmu_folder / "train" / "walking" / "walking_1.txt").slice(1)


def joint(recording: Recording, name: str) -> np.ndarray:
    assert recording.positions is not None
    return recording.positions[:, recording.joints.index(name)]


def test_a_clip_has_the_published_layout(walking: Recording) -> None:
    assert walking.n_channels == 117
    assert walking.rate == 120.0
    assert walking.channels[:6] == ("Hips.tx", "Hips.ty", "Hips.tz", "Hips.rx", "Hips.ry", "Hips.rz")
    assert len(walking.joints) == 38


def test_a_walker_is_upright_with_left_on_the_left_and_walks_where_he_faces(walking: Recording) -> None:
    assert (joint(walking, "Head")[:, 1] > joint(walking, "Hips")[:, 1] + 5).all()
    across = (joint(walking, "LeftUpLeg") - joint(walking, "RightUpLeg")) * [1, 0, 1]
    facing = np.cross(across, [0.0, 1.0, 0.0])
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    velocity = np.gradient(joint(walking, "Hips"), axis=0) * [1, 0, 1]
    along = (velocity * facing).sum(axis=1)
    assert (along > 0.9 * np.linalg.norm(velocity, axis=1)).mean() > 0.95
    toes = joint(walking, "LeftToeBase") - joint(walking, "LeftFoot")
    assert ((toes * facing).sum(axis=1) > 0).mean() > 0.95


@pytest.mark.data
def test_a_real_walkers_feet_stand_on_the_floor_in_turn(real_data: Path) -> None:
    """Only with the rotations the right way round; a made clip could share our mistake."""
    walking = read(real_data / "cmu_mocap" / "train" / "walking" / "walking_1.txt").slice(1)
    feet = np.stack([joint(walking, "LeftToeBase"), joint(walking, "RightToeBase")], axis=1)
    floor = feet[..., 1].min()
    lower = feet[..., 1].argmin(axis=1)
    standing = np.take_along_axis(feet, lower[:, None, None], axis=1)[:, 0]
    assert np.ptp(standing[:, 1]) < 1.5
    assert standing[:, 1].min() == floor
    slide = np.linalg.norm(np.diff(standing[:, [0, 2]], axis=0), axis=1)
    same_foot = np.diff(lower) == 0
    walked = np.linalg.norm(np.diff(joint(walking, "Hips")[:, [0, 2]], axis=0), axis=1)
    assert np.median(slide[same_foot]) < 0.25 * np.median(walked)
    assert (np.abs(np.diff(lower)) == 1).sum() >= 3
    assert 0.3 < (lower == 0).mean() < 0.7


def test_bones_keep_their_lengths(walking: Recording) -> None:
    assert walking.positions is not None
    bones = walking.positions[:, 1:] - walking.positions[:, CMU_SKELETON.parents[1:]]
    lengths = np.linalg.norm(bones, axis=2)
    np.testing.assert_allclose(lengths, np.linalg.norm(CMU_SKELETON.offsets[1:], axis=1)[None].repeat(len(lengths), 0))


def test_positions_agree_with_scipy_and_a_recursion(walking: Recording) -> None:
    assert walking.positions is not None
    frame = np.array(walking.frames[77])
    offsets = np.array(CMU_SKELETON.offsets)
    turns = Rotation.from_rotvec(-frame[3:].reshape(38, 3))

    def world(index: int) -> tuple[Rotation, np.ndarray]:
        parent = CMU_SKELETON.parents[index]
        if parent < 0:
            return turns[index], frame[:3]
        turned, position = world(parent)
        return turned * turns[index], position + turned.apply(offsets[index])

    expected = np.stack([world(index)[1] for index in range(38)])
    np.testing.assert_allclose(walking.positions[77], expected, atol=1e-9)


def test_a_take_is_read_with_its_truth(cmu_folder: Path) -> None:
    take = read(cmu_folder / "subject_86" / "03.mat")
    assert (take.n_frames, take.n_channels, take.rate) == (5900, 96, 120.0)
    assert take.truth is not None
    assert take.truth.changes == (900, 1700, 2400, 3300, 4200, 5000)
    assert take.truth.labels == (0, 1, 2, 0, 3, 4, 0)
    assert take.truth.tolerance[1] == (870, 950)
    pose = canonical_pose(take)
    forward = pose.frames[:, CANONICAL_CHANNELS.index("root.velocity_z")]
    labels = take.truth.frame_labels(take.n_frames)
    assert np.median(forward[labels == 1]) > 1.3 * np.median(forward[labels == 0]) > 0


def test_a_walker_lets_the_arms_hang_and_bends_elbows_and_knees_the_right_way(cmu_folder: Path) -> None:
    arms_hang_and_limbs_bend_the_right_way(cmu_folder / "subject_86" / "01.mat")


@pytest.mark.data
def test_so_does_he_in_every_real_take(real_data: Path) -> None:
    takes = sorted((real_data / "cmu_mocap" / "subject_86").glob("*.mat"))
    assert takes
    for take in takes:
        arms_hang_and_limbs_bend_the_right_way(take)


def arms_hang_and_limbs_bend_the_right_way(take: Path) -> None:
    """Fails unless they do in the four seconds of walking that a take begins with."""
    pose = canonical_pose(read(take).slice(0, 480)).frames
    at = {
        joint: pose[:, [CANONICAL_CHANNELS.index(f"{joint}.{axis}") for axis in "xyz"]]
        for joint in CANONICAL_JOINTS[1:]
    }
    for side in ("left", "right"):
        shoulder, elbow, wrist = (at[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        hip, knee, ankle = (at[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        assert np.median(wrist[:, 1] - shoulder[:, 1]) < -0.2
        # Forward of the straight line between its neighbours: the forearm folds forward, the shank folds back.
        assert np.median(elbow[:, 2] - (shoulder + wrist)[:, 2] / 2) < 0
        assert np.median(knee[:, 2] - (hip + ankle)[:, 2] / 2) > 0
        assert np.median(at[f"{side}_toe"][:, 2] - ankle[:, 2]) > 0.05


@pytest.mark.data
def test_every_real_take_and_clip_can_be_read(real_data: Path) -> None:
    files = [
        *(real_data / "cmu_mocap" / "subject_86").glob("*.mat"),
        *(real_data / "cmu_mocap" / "test").glob("*/*.txt"),
    ]
    assert files
    for file in files:
        assert np.isfinite(canonical_pose(read(file)).frames).all()


def test_both_layouts_of_one_motion_give_the_same_positions(tmp_path: Path) -> None:
    wide = np.random.default_rng(0).standard_normal((5, 117))
    maps = wide[:, 3:].reshape(5, 38, 3)
    maps[:, list(CMU_END_JOINTS)] = 0.0
    moving = [j for j in range(38) if j not in CMU_END_JOINTS]
    # The compact layout turns limbs about their own axes: these, in the words of the database's ASF files.
    about_bone = maps[:, moving].copy()
    for name, degrees in CMU_BONE_AXES.items():
        place = moving.index(CMU_SKELETON.names.index(name))
        about_bone[:, place] = Rotation.from_euler("xyz", degrees, degrees=True).inv().apply(about_bone[:, place])
    narrow = np.hstack([wide[:, :3], about_bone.reshape(5, -1)])
    savemat(tmp_path / "take.mat", {"expmapchannels": narrow})
    np.savetxt(tmp_path / "clip.txt", wide, delimiter=",", fmt="%.17g")
    take, clip = read(tmp_path / "take.mat"), read(tmp_path / "clip.txt", rate=60)
    np.testing.assert_allclose(take.positions, clip.positions, atol=1e-12)
    assert (take.rate, clip.rate) == (120.0, 60.0)
    np.testing.assert_allclose(cmu_positions(narrow), take.positions)


@pytest.mark.parametrize(
    ("content", "message", "field"),
    [
        ({"other": np.zeros((3, 96))}, "expected a variable 'expmapchannels', found: other", "expmapchannels"),
        ({"expmapchannels": np.zeros((3, 95))}, r"has shape \(3, 95\); expected \(frames, 96\)", "expmapchannels"),
        ({"expmapchannels": np.full((3, 96), np.nan)}, "frame 0, Hips.tx is nan", "Hips.tx"),
    ],
)
def test_a_wrong_mat_file_says_what_was_expected(
    tmp_path: Path, content: dict[str, np.ndarray], message: str, field: str
) -> None:
    file = tmp_path / "wrong.mat"
    savemat(file, content)
    with pytest.raises(MotionFileError, match=message) as caught:
        read(file)
    assert caught.value.path == str(file)
    assert caught.value.field == field


def test_bytes_that_are_no_mat_file(tmp_path: Path) -> None:
    file = tmp_path / "wrong.mat"
    file.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(MotionFileError, match="not a MATLAB 5 file"):
        read(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("walk\n", "line 1: expected the number of segments"),
        ("2\n1 walk\n", "two lines for each of 2"),
        ("2\n1 walk\n5 6\n2 run\n9\n", "line 3: expected earliest, best and latest"),
        ("2\n1\n5 6 7\n2 run\n9\n", "line 2: expected a segment's index and name"),
        ("2\n1 walk\n50 60 70\n2 run\n90\n", "starts at frame 60, but take.mat has 10 frames"),
    ],
)
def test_a_wrong_annotation_beside_a_take(tmp_path: Path, text: str, message: str) -> None:
    savemat(tmp_path / "take.mat", {"expmapchannels": np.zeros((10, 96))})
    (tmp_path / "take_ground_truth.txt").write_text(text)
    with pytest.raises(MotionFileError, match=message):
        read(tmp_path / "take.mat")


def test_without_scipy_the_error_names_the_extra(tmp_path: Path) -> None:
    savemat(tmp_path / "take.mat", {"expmapchannels": np.zeros((10, 96))})
    script = (
        "import sys; sys.modules['scipy'] = None; sys.modules['scipy.io'] = None\n"
        "from kineseg.motion import MissingDependencyError, read\n"
        "try: read(sys.argv[1])\n"
        "except MissingDependencyError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "take.mat")], capture_output=True, text=True, check=True
    )
    assert "kineseg[motion]" in done.stdout


def test_importing_motion_needs_nothing_beyond_the_plain_install() -> None:
    script = "import sys, kineseg.motion; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert not {"scipy", "torch", "onnxruntime", "matplotlib", "pandas"} & set(loaded)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_no_type_of_an_element_ends_the_process(tmp_path: Path, packed: bool, at: int) -> None:
    """SciPy reads where types point to: a file with an unknown one was a segmentation fault."""
    plain = io.BytesIO()
    savemat(plain, {"expmapchannels": np.zeros((4, 117))})
    data = plain.getvalue()
    # Class, dimensions, name, values: where their types stand.
    place = [136, 152, 168, 192][at]
    path = tmp_path / "take.mat"
    for kind in (*range(32), 247, 255):
        matrix = bytearray(data[128:])
        matrix[place - 128] = kind
        body = bytes(matrix)
        if packed:
            body = zlib.compress(body)
            body = (15).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body
        path.write_bytes(data[:128] + body)
        with contextlib.suppress(MotionFileError):
            assert read(path).n_frames == 4
