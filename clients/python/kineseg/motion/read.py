"""Opens a motion file of any known format."""

from __future__ import annotations

from pathlib import Path

from kineseg.motion.cmu import read_cmu_mat, read_cmu_text
from kineseg.motion.errors import MotionFileError
from kineseg.motion.recording import Recording, Up


def read(path: str | Path, *, rate: float | None = None, up: Up = "y") -> Recording:
    """Read a motion file. (Placeholder: CMU only so far.)"""
    file = Path(path)
    if file.suffix.lower() == ".mat":
        return read_cmu_mat(file, rate=rate)
    if file.suffix.lower() in (".txt", ".csv"):
        return read_cmu_text(file, rate=rate)
    raise MotionFileError(f"unknown suffix {file.suffix!r}", path=file)
