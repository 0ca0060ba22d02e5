"""The BVH reader: any channel order, positions on any joint, and errors that name the line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import CANONICAL_CHANNELS, MotionError, MotionFileError, canonical_pose, read
from scipy.spatial.transform import Rotation


def write(folder: Path, text: str, name: str = "take.bvh") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


def expected_positions(text: str) -> dict[str, np.ndarray]:
    """A slow reading of a well-formed file, joint by joint and frame by frame, sharing nothing with the reader."""
    head, _, motion = text.partition("MOTION")
    rows = [line.split() for line in motion.strip().splitlines()[2:]]
    pattern = r"(?:(ROOT|JOINT) (\S+)|(End) Site)\s*\{\s*OFFSET ([^\n]+)\n(?:\s*CHANNELS \d+ ([^\n]+)\n)?|(\})"
    stack: list[str] = []
    joints: list[tuple[str, str | None, np.ndarray, list[str]]] = []
    for _, name, end, offset, channels, close in re.findall(pattern, head):
        if close:
            stack.pop()
            continue
        joint = f"{stack[-1]}_end" if end else name
        joints.append((joint, stack[-1] if stack else None, np.array(offset.split(), float), channels.split()))
        stack.append(joint)
    result: dict[str, list[np.ndarray]] = {name: [] for name, *_ in joints}
    for row in rows:
        values = iter(map(float, row))
        world: dict[str, tuple[Rotation, np.ndarray]] = {}
        for name, parent, offset, channels in joints:
            step, turn = offset.copy(), Rotation.identity()
            for channel in channels:
                value = next(values)
                if channel.endswith("position"):
                    step["XYZ".index(channel[0])] = value
                else:
                    turn = turn * Rotation.from_euler(channel[0], value, degrees=True)
            turned, position = world[parent] if parent else (Rotation.identity(), np.zeros(3))
            world[name] = (turned * turn, position + turned.apply(step))
            result[name].append(world[name][1])
    return {name: np.array(positions) for name, positions in result.items()}


def test_a_small_file_with_every_kind_of_channel(tmp_path: Path, small_bvh: str) -> None:
    recording = read(write(tmp_path, small_bvh))
    assert recording.rate == 30.0
    assert recording.n_frames == 3
    assert recording.joints == ("Hips", "Spine", "Spine_end", "LeftUpLeg", "LeftLeg", "LeftLeg_end")
    assert recording.channels[6:9] == ("Spine.Yrotation", "Spine.Xrotation", "Spine.Zrotation")
    assert recording.frames[1, recording.channels.index("LeftUpLeg.Yposition")] == -4.6
    assert recording.positions is not None
    for name, positions in expected_positions(small_bvh).items():
        np.testing.assert_allclose(recording.positions[:, recording.joints.index(name)], positions, atol=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("  ", "\t").replace("Frames: ", "Frames:\t"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("Hips\n{", "Hips {").replace("ROOT", "root"),
        lambda text: text.replace("1 95 2", "1e0 9.5E+1 2.000"),
        lambda text: text + "\n\n  \n",
        lambda text: text.replace("Xposition", "XPOSITION"),
    ],
    ids=["crlf", "tabs", "byte order mark", "brace on the line", "scientific", "blank lines", "case"],
)
def test_spellings_of_the_same_file(tmp_path: Path, small_bvh: str, change: object) -> None:
    assert callable(change)
    plain, other = read(write(tmp_path, small_bvh)), read(write(tmp_path, change(small_bvh), "other.bvh"))
    np.testing.assert_array_equal(plain.frames, other.frames)
    np.testing.assert_array_equal(plain.positions, other.positions)


@pytest.mark.parametrize(
    ("frame_time", "rate"),
    [("0.0333333", 30.0), ("0.00833333", 120.0), ("0.0333667", 29.97), ("0.02", 50.0), ("1", 1.0), ("2", 0.5)],
)
def test_the_rate_is_what_the_frame_time_meant(tmp_path: Path, small_bvh: str, frame_time: str, rate: float) -> None:
    recording = read(write(tmp_path, small_bvh.replace("0.0333333", frame_time)))
    assert recording.rate == pytest.approx(rate, rel=1e-5)


def test_a_given_rate_comes_before_the_files(tmp_path: Path, small_bvh: str) -> None:
    assert read(write(tmp_path, small_bvh), rate=60).rate == 60.0


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("95 2  10 20 30   5 6 7   15 -4.5 25 9.5   40\n", "\n", 33, "1 values where 14 were expected"),
        ("Frames: 3", "Frames: many", 31, "expected the number of frames, found 'many'"),
        ("Frames: 3", "Frames: 2.5", 31, "at least 1"),
        ("Frames: 3", "Rames: 3", 31, "expected 'Frames:' after MOTION"),
        ("0.0333333", "0", 32, "frame time is 0 s"),
        ("0.0333333", "-0.1", 32, "frame time is -0.1 s"),
        ("0.0333333", "nan", 32, "finite"),
        ("-4.6 26", "x 26", 34, "LeftUpLeg.Yposition is 'x'; expected a number"),
        ("-4.6 26", "nan 26", 34, "LeftUpLeg.Yposition is nan; expected a finite number"),
        ("HIERARCHY", "HELLO", 1, "not a BVH file"),
        ("JOINT Spine", "ROOT Spine", 6, "a second ROOT"),
        ("JOINT Spine", "JOINT Hips", 7, "a second joint named 'Hips'"),
        ("CHANNELS 1 Xrotation", "CHANNELS 1 Wrotation", 22, "channel 'Wrotation' of joint 'LeftLeg'"),
        ("CHANNELS 1 Xrotation", "CHANNELS 2 Xrotation", 23, "channel 'End'"),
        ("CHANNELS 1 Xrotation", "CHANNELS x Xrotation", 22, "number of channels"),
        ("CHANNELS 1 Xrotation", "SHANNELS 1 Xrotation", 22, "found 'SHANNELS'"),
        ("OFFSET 9 -4 1", "OFFSET 9 -4", 18, "found 'CHANNELS'"),
        ("    OFFSET 9 -4 1\n", "", 27, "no OFFSET"),
        ("Frame Time:", "Frame Rate:", 32, "expected 'Frame"),
    ],
)
def test_a_wrong_file_names_its_line(
    tmp_path: Path, small_bvh: str, old: str, new: str, line: int, message: str
) -> None:
    assert small_bvh.count(old) == 1
    file = write(tmp_path, small_bvh.replace(old, new))
    with pytest.raises(MotionFileError, match=re.escape(message)) as caught:
        read(file)
    assert caught.value.path == str(file)
    assert f"{file}, line {caught.value.line}: " in str(caught.value)
    assert caught.value.line == line


@given(st.data())
def test_a_file_cut_anywhere_is_an_error_or_says_what_is_missing(
    tmp_path: Path, small_bvh: str, data: st.DataObject
) -> None:
    last_row = small_bvh.rindex("\n", 0, -1) + 1
    length = data.draw(st.integers(0, last_row))
    try:
        recording = read(write(tmp_path, small_bvh[:length]))
    except MotionFileError:
        return
    assert recording.n_frames < 3
    assert any("'Frames:' says 3" in note for note in recording.notes)


@given(st.data())
def test_a_file_with_a_word_replaced_is_read_or_refused(tmp_path: Path, small_bvh: str, data: st.DataObject) -> None:
    words = re.findall(r"\S+|\s+", small_bvh)
    place = data.draw(st.integers(0, len(words) - 1))
    words[place] = data.draw(
        st.sampled_from(["{", "}", "", "ROOT", "JOINT", "End", "OFFSET", "CHANNELS", "MOTION", "7", "1e308", "-1e999"])
        | st.text(max_size=6)
    )
    file = write(tmp_path, "".join(words).encode("utf-8", "replace").decode())
    refused = None
    try:
        read(file)
    except MotionError as error:
        refused = str(error)
    assert refused is None or str(file) in refused


@pytest.fixture(params=["made", pytest.param("real", marks=pytest.mark.data)])
def clips(request: pytest.FixtureRequest) -> Path:
    """Folders of clips of another body, six channels on each of its joints."""
    if request.param == "made":
        folder: Path = request.getfixturevalue("bvh_folder")
        return folder
    data: Path = request.getfixturevalue("real_data")
    return data / "bvh" / "bandai_namco_1"


def test_files_of_another_skeleton(clips: Path) -> None:
    files = sorted(clips.glob("*.bvh"))
    assert files
    for file in files:
        recording = read(file)
        assert recording.rate == 30.0
        assert len(recording.joints) == 27
        assert np.isfinite(canonical_pose(recording).frames).all()


def test_a_walk_against_the_slow_reading(clips: Path) -> None:
    file = clips / "dataset-1_walk-back_normal_001.bvh"
    recording = read(file)
    assert recording.positions is not None
    for name, positions in expected_positions(file.read_text()).items():
        np.testing.assert_allclose(recording.positions[:, recording.joints.index(name)], positions, atol=1e-6)


def test_a_walker_goes_where_he_should(clips: Path) -> None:
    for clip, sign in (("walk", 1), ("walk-back", -1)):
        pose = canonical_pose(read(clips / f"dataset-1_{clip}_normal_001.bvh"))
        forward = pose.frames[1:, CANONICAL_CHANNELS.index("root.velocity_z")]
        assert sign * np.median(forward) > 0.3
        head = pose.frames[:, CANONICAL_CHANNELS.index("head.y")]
        assert (head > 0.3).all()
        assert (pose.frames[:, CANONICAL_CHANNELS.index("left_knee.x")] > 0).mean() > 0.9
