"""What is not read is named, with the way to something that is; and any bytes are read or refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.motion import JointMappingError, MotionError, MotionFileError, Recording, canonical_pose, generate, read

BY_SUFFIX = {
    ".fbx": "FBX.*export BVH",
    **{".v": "Vicon.*CSV", ".vsk": "Vicon.*CSV", ".glb": "glTF.*BVH", ".gltf": "glTF.*BVH", ".xdf": "XDF.*pyxdf"},
    **{
        ".mvn": "Xsens.*MVNX",
        ".json": "JSON.*np.savez",
        ".jsonl": "JSON lines.*json.loads",
        ".parquet": "read_parquet",
    },
    **{".h5": "HDF5.*h5py", ".hdf5": "HDF5.*h5py", ".xlsx": "spreadsheet.*CSV", ".ods": "spreadsheet.*CSV"},
    **{".mp4": "video.*pose estimator", ".pkl": "pickle.*np.savez", ".wav": "sound", ".png": "picture", ".edf": "EDF"},
    **{".bag": "ROS.*rosbags", ".tak": "Motive.*CSV", ".qtm": "Qualisys.*TSV", ".blend": "Blender.*BVH"},
}
BY_BYTES = {
    "FBX": b"Kaydara FBX Binary  \x00\x1a\x00",
    "glTF": b"glTF\x02\x00\x00\x00",
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(20),
    "Parquet": b"PAR1" + bytes(20),
    "gzip": b"\x1f\x8b\x08\x00",
    "spreadsheet": b"PK\x03\x04" + b"\0" * 26 + b"xl/workbook.xml",
    "video": b"\x00\x00\x00\x18ftypmp42",
    "JSON": b'{"frames": [[1, 2], [3, 4]]}',
    "JSON lines": b'{"a": 1}\n{"a": 2}\n',
    "Acclaim": b"#!OML:ASF F:\\VICON\\\n:FULLY-SPECIFIED\n",
    "XML": b'<?xml version="1.0"?><motion>',
    "picture": b"\x89PNG\r\n\x1a\n",
    "MATLAB 7.3": b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(600),
    "XDF": b"XDF:\x05" + bytes(20),
}


@pytest.mark.parametrize("suffix", BY_SUFFIX)
def test_a_format_is_known_by_its_suffix(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"take{suffix.upper() if suffix == '.fbx' else suffix}"
    file.write_bytes(b"x" * 50)
    with pytest.raises(MotionFileError, match=BY_SUFFIX[suffix]) as caught:
        read(file)
    assert caught.value.path == str(file)


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".bvh", ".unheard_of", ""])
@pytest.mark.parametrize("name", BY_BYTES)
def test_a_format_is_known_by_what_is_in_it(tmp_path: Path, name: str, suffix: str) -> None:
    file = tmp_path / f"take{suffix}"
    file.write_bytes(BY_BYTES[name])
    with pytest.raises(MotionFileError, match=name):
        read(file)


def test_an_unknown_suffix_is_looked_into(tmp_path: Path, small_bvh: str) -> None:
    (tmp_path / "a.mocap").write_text(small_bvh)
    assert read(tmp_path / "a.mocap").n_frames == 3
    (tmp_path / "a.log").write_text("time,a\n0.00,1\n0.01,2\n")
    recording = read(tmp_path / "a.log")
    assert recording.rate == 100.0
    assert "'.log'" in recording.notes[0]
    np.save(tmp_path / "a.npy", np.zeros((3, 2)))
    (tmp_path / "a.npy").rename(tmp_path / "a.array")
    assert read(tmp_path / "a.array", rate=10).n_frames == 3
    (tmp_path / "a.md").write_text("# Title\n\nSome words.\n")
    with pytest.raises(MotionFileError, match=r"unknown suffix '.md'; expected one of .*; read as a table: "):
        read(tmp_path / "a.md")
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    with pytest.raises(MotionFileError, match=r"unknown suffix '.bin'.*does not look like text"):
        read(tmp_path / "a.bin")


@pytest.mark.parametrize("change", [
    lambda text: text.replace("Frame Time: 0.0333333", "Frame Time: 0"),
    lambda text: text.replace("Frame Time: 0.0333333", "Frame Time: nan"),
    lambda text: text.replace("Frame Time: 0.0333333", "Frame Time: soon"),
    lambda text: text.replace("Frame Time: 0.0333333", "Frame Time:"),
    lambda text: text.replace("Frame Time: 0.0333333\n", ""),
])  # fmt: skip
def test_a_rate_is_enough_where_the_frame_time_is_none(tmp_path: Path, small_bvh: str, change: Any) -> None:
    file = tmp_path / "a.bvh"
    file.write_text(change(small_bvh))
    if "Frame Time" in change(small_bvh):
        with pytest.raises(MotionFileError, match=r"give a rate \(--rate on the command line\)") as caught:
            read(file)
        assert caught.value.field == "rate"
    assert read(file, rate=60).rate == 60.0


@pytest.mark.parametrize("change", [
    lambda text: text.replace("0.0333333", "0,0333333"),
    lambda text: text.replace(".", ","),
    lambda text: text.replace("Frames: 3", "Frames:3").replace("Frame Time: ", "FRAME TIME:"),
    lambda text: text.replace("Frames: 3", "frames :   3").replace("Frame Time:", "Frame  Time :"),
    lambda text: text.replace("Frame Time:", "FrameTime:"),
    lambda text: text.replace("MOTION\n", "motion "),
    lambda text: text.replace("MOTION", "# made by hand\nMOTION\n\n"),
    lambda text: text + "# the end\n",
    lambda text: text + "\nEND OF FILE\nsome 3 words\n",
    lambda text: text.replace("Frames: 3", "Frames:"),
    lambda text: text.lower().replace("hips", "Hips"),
    lambda text: text.replace("OFFSET 9 -4 1", "OFFSET 9, -4, 1"),
])  # fmt: skip
def test_spellings_of_bvh(tmp_path: Path, small_bvh: str, change: Any) -> None:
    plain, other = tmp_path / "plain.bvh", tmp_path / "other.bvh"
    plain.write_text(small_bvh)
    other.write_text(change(small_bvh))
    a, b = read(plain), read(other)
    assert b.rate == 30.0
    np.testing.assert_allclose(b.frames, a.frames)
    np.testing.assert_allclose(b.positions, a.positions)


@pytest.mark.parametrize("said", [1, 2, 4, 30, 0])
def test_the_rows_count_and_not_what_frames_says(tmp_path: Path, small_bvh: str, said: int) -> None:
    file = tmp_path / "a.bvh"
    file.write_text(small_bvh.replace("Frames: 3", f"Frames: {said}"))
    recording = read(file)
    assert recording.n_frames == 3
    assert recording.notes == (f"'Frames:' says {said}, but 3 whole rows follow: these are read",)


def test_a_row_that_breaks_off_is_left_out(tmp_path: Path, small_bvh: str) -> None:
    file = tmp_path / "a.bvh"
    file.write_text(small_bvh.rstrip()[:-9])
    recording = read(file)
    assert recording.n_frames == 2
    assert "breaks off after 12 of 14 values" in recording.notes[0] or "breaks off after 13" in recording.notes[0]


def test_names_stored_as_bytes(tmp_path: Path) -> None:
    joints = np.array([b"pelvis", "h\u00fcfte".encode(), "\u00e9paule".encode("latin-1")])
    np.savez(tmp_path / "a.npz", positions=np.zeros((4, 3, 3)), joints=joints, rate=30)
    assert read(tmp_path / "a.npz").joints == ("pelvis", "h\u00fcfte", "\u00e9paule")
    np.savez(tmp_path / "b.npz", frames=np.zeros((4, 1)), channels=np.array([b"speed"]), rate=30)
    assert read(tmp_path / "b.npz").channels == ("speed",)


@pytest.mark.parametrize("key", ["data", "X", "arr_0", "motion", "values"])
@pytest.mark.parametrize("rate_key", ["rate", "fps", "framerate", "mocap_framerate", "frame_rate", "fs", "FPS"])
def test_other_keys_are_read_where_there_is_no_doubt(tmp_path: Path, key: str, rate_key: str) -> None:
    np.savez(tmp_path / "a.npz", **{key: np.zeros((5, 4)), rate_key: np.array(25), "labels": np.zeros((5, 1))})
    recording = read(tmp_path / "a.npz")
    assert (recording.rate, recording.n_channels) == (25.0, 4)
    assert repr(key) in recording.notes[0]
    np.savez(tmp_path / "a.npz", **{key: np.zeros((5, 4, 3)), rate_key: 25, "joint_names": list("abcd")})
    assert read(tmp_path / "a.npz").joints == tuple("abcd")


def test_keypoints_of_an_image(tmp_path: Path) -> None:
    points = np.random.default_rng(0).random((6, 17, 3)) * [640, 480, 1]
    np.savez(tmp_path / "a.npz", keypoints=points, fps=30)
    recording = read(tmp_path / "a.npz")
    assert (recording.n_channels, recording.positions) == (34, None)
    assert "in the plane" in recording.notes[0]
    np.save(tmp_path / "a.npy", np.zeros((1, 6, 17, 3)))
    with pytest.raises(MotionFileError, match="shape"):
        read(tmp_path / "a.npy", rate=30)


@pytest.mark.parametrize(("entries", "message"), [
    ({"poses": np.zeros((9, 156)), "trans": np.zeros((9, 3)), "mocap_framerate": 120}, "AMASS.*smplx.*np.savez"),
    ({"a": np.array([{"x": 1}], dtype=object)}, "Python objects, not plain numbers.*np.savez"),
    ({"frames": np.array([[1, None]], dtype=object), "rate": 1}, "Python objects, not plain numbers.*np.savez"),
    ({"data": np.zeros((3, 9, 25, 2)), "rate": 1}, r"shape \(3, 9, 25, 2\); expected .*np.transpose"),
])  # fmt: skip
def test_archives_that_need_a_word(tmp_path: Path, entries: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "a.npz", **entries)
    with pytest.raises(MotionFileError, match=message):
        read(tmp_path / "a.npz")


def test_a_structured_array_says_how_to_become_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3, dtype=[("time", float), ("a", float)]))
    with pytest.raises(MotionFileError, match=r"the fields time, a; .*np.savetxt"):
        read(tmp_path / "a.npy", rate=1)


def test_a_mapping_makes_a_body_of_unknown_names(tmp_path: Path) -> None:
    person = generate(seed=3, duration_s=3, rate=30)
    names = [f"m{i}" for i in range(len(person.joints))]
    np.savez(tmp_path / "a.npz", positions=person.positions, joints=names, rate=30)
    with pytest.raises(JointMappingError, match="--mapping FILE"):
        canonical_pose(read(tmp_path / "a.npz"))
    mapping = dict(zip(person.joints, names, strict=True))
    recording = read(tmp_path / "a.npz", mapping=mapping)
    np.savez(tmp_path / "known.npz", positions=person.positions, joints=person.joints, rate=30)
    plain = canonical_pose(read(tmp_path / "known.npz"))
    np.testing.assert_array_equal(canonical_pose(recording).frames, plain.frames)
    np.testing.assert_array_equal(canonical_pose(recording.slice(0, 40)).frames, plain.frames[:40])
    with pytest.raises(JointMappingError, match="no joint 'zz', which the mapping gives for hips") as caught:
        read(tmp_path / "a.npz", mapping={"hips": "zz"})
    assert caught.value.path == str(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", frames=np.zeros((5, 2)), rate=30)
    with pytest.raises(MotionFileError, match="no joint positions; leave it out"):
        read(tmp_path / "b.npz", mapping=mapping)


def whole_files(folder: Path) -> dict[str, bytes]:
    np.savez(folder / "w.npz", frames=np.ones((4, 2)), channels=["a", "b"], rate=30)
    np.save(folder / "w.npy", np.ones((4, 2)))
    with zipfile.ZipFile(folder / "w.zip", "w") as archive:
        archive.writestr("a.csv", "time,a\n0.00,1\n0.01,2\n")
    return {
        ".npz": (folder / "w.npz").read_bytes(),
        ".npy": (folder / "w.npy").read_bytes(),
        ".zip": (folder / "w.zip").read_bytes(),
        ".csv": b"time,a,b\n0.00,1,2\n0.01,2,3\n0.02,3,4\n",
        ".json": json.dumps({"a": [1, 2]}).encode(),
    }


@settings(max_examples=150)
@given(st.data())
def test_damage_of_any_kind_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    kind, content = data.draw(st.sampled_from(sorted(whole_files(tmp_path).items())))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        content = content[:at] + data.draw(st.binary(max_size=6)) + content[at + data.draw(st.integers(0, 6)) :]
    file = tmp_path / f"wild{data.draw(st.just(kind) | st.sampled_from(['.gz', '.dat', '.trc', '', '.bvh', '.mat']))}"
    file.write_bytes(content or b"\0")
    refused = None
    try:
        assert isinstance(read(file, rate=data.draw(st.none() | st.just(30.0))), Recording)
    except MotionError as error:
        refused = str(error)
    assert refused is None or str(file) in refused
