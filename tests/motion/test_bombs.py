"""Files that unpack to more than is stated are refused before they are unpacked."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from kineseg import motion
from kineseg.motion import arrays, cmu, source_file


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the bound were a megabyte: the real one is too large for a test."""
    module: ModuleType
    for module in (arrays, cmu, source_file):
        monkeypatch.setattr(module, "MOST_BYTES", 1 << 20)


def test_an_npz_archive(tmp_path: Path) -> None:
    path = tmp_path / "take.npz"
    np.savez_compressed(path, frames=np.zeros((1 << 15, 5)), rate=30)
    assert path.stat().st_size < 1 << 15
    with pytest.raises(motion.MotionFileError, match="unpacks to more than"):
        motion.read(path)


def test_a_matlab_file(tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    path = tmp_path / "take.mat"
    scipy_io.savemat(path, {"expmapchannels": np.zeros((1 << 13, 117))}, do_compression=True)
    assert path.stat().st_size < 1 << 15
    with pytest.raises(motion.MotionFileError, match="unpacks to more than"):
        motion.read(path)


def test_any_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    with path.open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(motion.MotionFileError, match="larger than"):
        motion.read(path)


def test_an_array_that_claims_more_than_there_is(tmp_path: Path) -> None:
    path = tmp_path / "take.npy"
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 64)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(64))
    with pytest.raises(motion.MotionFileError, match="not a NumPy file"):
        motion.read(path)
