"""NumPy files and CSV tables, right and wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kineseg.motion import MotionFileError, read


def test_npy_of_channels(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(3, 2))
    recording = read(tmp_path / "a.npy", rate=10)
    assert recording.channels == ("channel_0", "channel_1")
    assert recording.positions is None
    assert recording.duration_s == pytest.approx(0.3)


def test_npy_of_positions(tmp_path: Path) -> None:
    points = np.arange(12.0).reshape(2, 2, 3)
    np.save(tmp_path / "a.npy", points)
    recording = read(tmp_path / "a.npy", rate=10, up="z")
    assert recording.joints == ("joint_0", "joint_1")
    assert recording.channels == ("joint_0.x", "joint_0.y", "joint_0.z", "joint_1.x", "joint_1.y", "joint_1.z")
    np.testing.assert_array_equal(recording.positions, points)
    assert recording.up == "z"


def test_npz_with_all_keys(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz",
        positions=np.zeros((4, 2, 3)),
        joints=["hips", "head"],
        parents=[-1, 0],
        offsets=[[0, 0, 0], [0, 1, 0]],
        timestamps=[0.0, 0.1, 0.2, 0.5],
    )
    recording = read(tmp_path / "a.npz")
    assert recording.rate == pytest.approx(10.0)
    assert recording.skeleton is not None
    assert recording.skeleton.names == ("hips", "head")
    assert recording.timestamps is not None


@pytest.mark.parametrize("key", ["rate", "frames", "joints", "notes"])
def test_npz_with_an_entry_that_is_no_array(tmp_path: Path, key: str) -> None:
    """NumPy gives it as bytes."""
    take = tmp_path / "take.npz"
    np.savez(take, **({} if key == "frames" else {"frames": np.zeros((9, 2))}), rate_hz=30.0)
    with zipfile.ZipFile(take, "a") as packed:
        packed.writestr(f"{key}.npy", b"not an array")
    if key in ("rate", "frames"):
        with pytest.raises(MotionFileError, match="no array") as caught:
            read(take)
        assert caught.value.field == key
    else:  # nothing that is needed
        assert read(take, rate=30.0).n_frames == 9


def test_npz_with_channels_and_rate(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=np.zeros((4, 2), dtype=np.float32), channels=["x", "y"], rate=25)
    recording = read(tmp_path / "a.npz")
    assert (recording.rate, recording.channels) == (25.0, ("x", "y"))
    assert read(tmp_path / "a.npz", rate=50).rate == 50.0


@pytest.mark.parametrize(
    ("entries", "message", "field"),
    [
        ({"data": np.zeros((3, 2))}, "does not say its frame rate; give a rate", "rate"),
        ({"a": np.zeros((3, 2)), "b": np.ones((3, 2))}, "several of them can be the motion. Expected 'frames'", None),
        ({"a": np.zeros(3)}, r"found 'a' float64 \(3,\); none of them can be the motion. Expected 'frames'", None),
        ({"frames": np.zeros((3, 2))}, "does not say its frame rate; give a rate", "rate"),
        ({"frames": np.zeros((3, 2)), "rate": 0}, "positive", "rate"),
        ({"frames": np.zeros((3, 2)), "rate": -1}, "positive", "rate"),
        ({"frames": np.zeros((3, 2)), "rate": [1, 2]}, "'rate' has shape", "rate"),
        ({"frames": np.zeros(3), "rate": 1}, "'frames' has shape", "frames"),
        ({"frames": np.zeros((0, 3)), "rate": 1}, "no data", "frames"),
        ({"frames": np.array([["a"]]), "rate": 1}, "expected numbers", "frames"),
        ({"frames": np.array([[1.0, np.inf]]), "rate": 1}, "frame 0, channel 'channel_1' is inf", "channel_1"),
        ({"frames": np.zeros((3, 2)), "rate": 1, "channels": ["a"]}, "1 names for 2", "channels"),
        ({"frames": np.zeros((3, 2)), "timestamps": [0, 2, 1]}, "must increase", "timestamps"),
        ({"frames": np.zeros((1, 2)), "timestamps": [0]}, "gives no rate", "timestamps"),
        ({"positions": np.zeros((3, 2, 2)), "rate": 1}, r"expected \(frames, joints, 3\)", "positions"),
        (
            {"positions": np.zeros((3, 2, 3)), "rate": 1, "parents": [0, -1], "offsets": np.zeros((2, 3))},
            "root",
            "parents",
        ),
    ],
)
def test_wrong_npz(tmp_path: Path, entries: dict[str, Any], message: str, field: str | None) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, **entries)
    with pytest.raises(MotionFileError, match=message) as caught:
        read(file)
    assert caught.value.path == str(file)
    assert caught.value.field == field


def test_numpy_files_that_are_not(tmp_path: Path) -> None:
    for name in ("a.npy", "a.npz"):
        (tmp_path / name).write_bytes(b"hello" * 100)
        with pytest.raises(MotionFileError, match="not a NumPy file"):
            read(tmp_path / name, rate=1)
    np.savez(tmp_path / "whole.npz", frames=np.random.default_rng(0).standard_normal((99, 9)), rate=1)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:1000])
    with pytest.raises(MotionFileError):
        read(tmp_path / "cut.npz")


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(MotionFileError, match="plain numbers"):
        read(tmp_path / "a.npy", rate=1)


def test_no_one_is_advised_to_load_pickles(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    with pytest.raises(MotionFileError, match=r"plain numbers$"):
        read(tmp_path / "a.npz", rate=1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_a_time_column(tmp_path: Path, delimiter: str) -> None:
    text = "time,hips.x,speed\n0.0,1,2\n0.02,3,4\n0.04,5,6\n".replace(",", delimiter)
    (tmp_path / "a.csv").write_text(text)
    recording = read(tmp_path / "a.csv")
    assert recording.rate == pytest.approx(50.0)
    assert recording.channels == ("hips.x", "speed")
    np.testing.assert_allclose(recording.timestamps, [0, 0.02, 0.04])
    np.testing.assert_array_equal(recording.frames, [[1, 2], [3, 4], [5, 6]])


def test_csv_with_nanoseconds(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,capture_ns\n1,1700000000000000000\n2,1700000000010000000\n")
    recording = read(tmp_path / "a.csv")
    assert recording.rate == pytest.approx(100.0, rel=1e-3)
    assert recording.channels == ("a",)


def test_csv_of_positions(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,hips.x,hips.y,hips.z,head.X,head.Y,head.Z\n0,1,2,3,4,5,6\n.1,1,2,3,4,5,6\n")
    recording = read(tmp_path / "a.csv")
    assert recording.joints == ("hips", "head")
    assert recording.positions is not None
    assert recording.positions[1, 1].tolist() == [4, 5, 6]


def test_empty_cells_and_nan_are_missing_values(tmp_path: Path) -> None:
    file = tmp_path / "markers.csv"
    file.write_text("time,hips.x,hips.y,hips.z\n0,1,2,3\n\n0.5,,,\n1,NaN,5,6\n")
    recording = read(file)
    np.testing.assert_array_equal(recording.frames, [[1, 2, 3], [np.nan] * 3, [np.nan, 5, 6]])
    assert recording.positions is not None
    np.testing.assert_array_equal(recording.positions[:, 0], recording.frames)


@pytest.mark.parametrize("text", ["1,5\n2,\n3,7\n", "1;5\n2;nan\n3;7\n", "\n1\t5\n2\t\n3\t7\n"])
def test_a_table_without_a_header_has_numbered_channels(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sensors.csv"
    file.write_text(text)
    recording = read(file, rate=50)
    assert recording.channels == ("channel_0", "channel_1")
    np.testing.assert_array_equal(recording.frames, [[1, 5], [2, np.nan], [3, 7]])


def test_one_column_of_numbers_is_one_channel(tmp_path: Path) -> None:
    file = tmp_path / "sensor.csv"
    file.write_text("1.5\n2.5\n")
    np.testing.assert_array_equal(read(file, rate=250).frames, [[1.5], [2.5]])


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a,b\n1,2\n", None, r"does not say its frame rate; give a rate \(--rate on the command line\), or a column"),
        ("time,a\n", 1, "a header but no frames"),
        ("time,a\n0,1\n1,2\n", None, "column 'time' counts 0, 1, ...: are these frames"),
        ("time\n1\n2\n", 1, "no channels"),
        ("time,a,a\n0,1,2\n", 1, "repeated: a"),
        ("time,a\n0,1\n1,2,3\n", 3, "3 values where 2 were expected"),
        ("time,a\n0,1\n1\n", 3, "1 values where 2 were expected"),
        ("time,a\n0,1\n\n1,two\n", 4, "a is 'two'; expected a number"),
        ("time,a\n0,1\n1,inf\n", 3, "a is inf; expected a finite number"),
        ("time,a\n0,NaN\n0.1,\n", None, "all 2 values are missing"),
        ("time,a\n0,1\n,1\n2,1\n", None, "time"),
        ("time,a\n1,1\n1,2\n", None, "must increase"),
        ("1,2,3\n4,5,6\n", None, "does not say its frame rate"),
        ("1,2,3\n4,5\n", 2, "2 values where 3 were expected"),
        ("1 2 3\n4 5 6\n", None, "does not say its frame rate"),
        ("time,a\none,two\nthree,four\n", None, "no rows of numbers: line 1 is 'time,a'"),
        ("time,a\n0.5,1,2\n0.1,2,3\n", 1, "names 2 columns, but the rows have 3 values"),
    ],
)
def test_wrong_csv(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text)
    with pytest.raises(MotionFileError, match=message) as caught:
        read(file)
    assert caught.value.path == str(file)
    assert caught.value.line == line


@pytest.mark.parametrize("shape", [(0, 3, 3), (4, 0, 3), (0, 0, 3)])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_positions_of_nothing_are_refused(tmp_path: Path, shape: tuple[int, ...], suffix: str) -> None:
    path = tmp_path / f"take{suffix}"
    if suffix == ".npy":
        np.save(path, np.zeros(shape))
    else:
        np.savez(path, positions=np.zeros(shape), rate=30.0)
    with pytest.raises(MotionFileError, match=r"shape|nothing|frames"):
        read(path, rate=30)
