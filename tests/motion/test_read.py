"""Opening files: the format is found, and what is no motion file is refused with its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.motion import MotionError, MotionFileError, read


@pytest.mark.parametrize("suffix", [".bvh", ".mat", ".txt", ".csv", ".npy", ".npz"])
def test_missing_empty_and_folder(tmp_path: Path, suffix: str) -> None:
    missing, empty, folder = (tmp_path / f"{name}{suffix}" for name in ("missing", "empty", "folder"))
    empty.touch()
    folder.mkdir()
    for file, message in ((missing, "no such file"), (empty, "empty"), (folder, "folder")):
        with pytest.raises(MotionFileError, match=message) as caught:
            read(file)
        assert caught.value.path == str(file)


def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path) -> None:
    file = tmp_path / "take.xyzzy"
    file.write_bytes(b"x")
    with pytest.raises(MotionFileError, match=r"unknown suffix '.xyzzy'; expected one of .bvh, .npz"):
        read(file)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_an_impossible_rate(tmp_path: Path, small_bvh: str, rate: float) -> None:
    file = tmp_path / "a.bvh"
    file.write_text(small_bvh)
    with pytest.raises(MotionFileError, match="positive") as caught:
        read(file, rate=rate)
    assert caught.value.field == "rate"
    assert caught.value.path == str(file)


def test_text_without_a_header_is_a_cmu_clip_whatever_its_suffix(tmp_path: Path) -> None:
    for name in ("a.txt", "a.csv"):
        np.savetxt(tmp_path / name, np.zeros((4, 117)), delimiter=",")
        recording = read(tmp_path / name)
        assert recording.rate == 120.0
        assert len(recording.joints) == 38


def test_a_cmu_clip_with_a_short_row(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    np.savetxt(file, np.zeros((4, 117)), delimiter=",")
    lines = file.read_text().splitlines()
    lines[2] = lines[2].rsplit(",", 1)[0]
    file.write_text("\n".join(lines))
    with pytest.raises(MotionFileError, match="116 values where 117 were expected") as caught:
        read(file)
    assert caught.value.line == 3


def test_bvh_is_recognised_under_another_suffix(tmp_path: Path, small_bvh: str) -> None:
    file = tmp_path / "a.txt"
    file.write_text(small_bvh)
    assert read(file).n_frames == 3


def test_numbers_so_large_that_positions_overflow(tmp_path: Path, small_bvh: str) -> None:
    file = tmp_path / "a.bvh"
    file.write_text(
        small_bvh.replace("1 95 2", "1.7e308 1.7e308 1.7e308").replace("OFFSET 0 10 0", "OFFSET 0 1.7e308 0")
    )
    with pytest.raises(MotionFileError, match="not finite"):
        read(file)


@given(
    st.binary(min_size=1, max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from([".bvh", ".mat", ".txt", ".csv", ".npy", ".npz"]),
)
def test_whatever_lies_in_a_file_it_is_read_or_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    file = tmp_path / f"wild{suffix}"
    file.write_bytes(content)
    refused = None
    try:
        read(file, rate=30)
    except MotionError as error:
        refused = str(error)
    assert refused is None or str(file) in refused
