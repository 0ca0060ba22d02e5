"""Opens a motion file of any known format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kineseg.motion.arrays import read_npy, read_npz
from kineseg.motion.bvh import read_bvh
from kineseg.motion.cmu import TEXT_COLUMNS, read_cmu_mat, read_cmu_text
from kineseg.motion.errors import MotionFileError, RecordingError, SkeletonError
from kineseg.motion.h36m import H36M_COLUMNS, read_h36m_text
from kineseg.motion.recording import Recording, Up
from kineseg.motion.tables import has_header, read_csv
from kineseg.motion.text_numbers import read_text, require_file

SUFFIXES = (".bvh", ".mat", ".txt", ".csv", ".tsv", ".npy", ".npz")


def read(path: str | Path, *, rate: float | None = None, up: Up = "y") -> Recording:
    """Read a motion file; the format follows from the suffix and, for text, from what is in it.

    Args:
        path: BVH; CMU exponential maps as ``.mat`` or as text of 117 columns without a header; Human3.6M exponential
            maps as text of 99 columns without a header; any other ``.csv`` table, one frame a line; ``.npy``; ``.npz``.
        rate: Frames per second, instead of what the file says; needed where it says nothing.
        up: The vertical axis of the file's world (CMU files are y up by definition).

    Raises:
        MotionFileError: The file is not one of these or is damaged; names the file, the line or field, and what was
            expected.
        MissingDependencyError: A package for this format is not installed; names the extra.
    """
    file = Path(path)
    require_file(file)
    if rate is not None and not rate > 0:
        raise MotionFileError(
            f"the rate is {rate}; expected a positive number of frames per second", path=file, field="rate"
        )
    try:
        # Absurdly large numbers overflow on the way to positions; the check for finite positions then says so.
        with np.errstate(over="ignore", invalid="ignore"):
            return _read(file, rate, up)
    except (RecordingError, SkeletonError) as error:
        raise MotionFileError(str(error), path=file, line=error.line, field=error.field) from None


def _read(file: Path, rate: float | None, up: Up) -> Recording:
    suffix = file.suffix.lower()
    if suffix == ".bvh":
        return read_bvh(file, rate=rate, up=up)
    if suffix == ".mat":
        return read_cmu_mat(file, rate=rate)
    if suffix == ".npy":
        return read_npy(file, rate=rate, up=up)
    if suffix == ".npz":
        return read_npz(file, rate=rate, up=up)
    if suffix in (".txt", ".csv", ".tsv"):
        return _read_text(file, rate, up)
    raise MotionFileError(f"unknown suffix {file.suffix!r}; expected one of {', '.join(SUFFIXES)}", path=file)


def _read_text(file: Path, rate: float | None, up: Up) -> Recording:
    first = next(line for line in read_text(file).splitlines() if line.strip())
    if first.split()[0].upper() == "HIERARCHY":
        return read_bvh(file, rate=rate, up=up)
    if has_header(first):
        return read_csv(file, rate=rate, up=up)
    if len(first.split(",")) == TEXT_COLUMNS:
        return read_cmu_text(file, rate=rate)
    if len(first.split(",")) == H36M_COLUMNS:
        return read_h36m_text(file, rate=rate)
    if not any(mark in first for mark in ",;\t") and len(first.split()) > 1:
        raise MotionFileError(
            f"{len(first.split())} columns of numbers, separated by spaces; expected a table separated by commas, "
            f"semicolons or tabs, or the {TEXT_COLUMNS} ({H36M_COLUMNS}) columns, separated by commas, of a CMU "
            "(Human3.6M) clip",
            path=file,
            line=1,
        )
    return read_csv(file, rate=rate, up=up)
