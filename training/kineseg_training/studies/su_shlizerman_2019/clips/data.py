"""Clips of known actions as exponential maps: folders in the CMU and in the Human3.6M text layout."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kineseg.motion import MotionError, read
from numpy.typing import NDArray

from kineseg_training.errors import DataError

# Every CMU clip begins with one frame of a calibration pose.
_CALIBRATION_FRAMES = 1
# Columns 0 to 5 of both layouts: translation and rotation of the root.
ROOT_COLUMNS = 6


@dataclass(frozen=True)
class Layout:
    """One way of storing clips.

    Attributes:
        name: As a person says it.
        columns: Numbers in a line.
        every: Take every so manieth frame, as the published experiments do.
        skip: Frames to drop first.
    """

    name: str
    columns: int
    every: int
    skip: int


CMU = Layout("CMU", 117, 1, _CALIBRATION_FRAMES)
H36M = Layout("Human3.6M", 99, 2, 0)


@dataclass(frozen=True)
class ActionFiles:
    """Files of clips by action.

    Attributes:
        layout: How they are stored.
        files: Sorted by subject and take, for each action in alphabetical order.
    """

    layout: Layout
    files: Mapping[str, tuple[Path, ...]]

    @property
    def actions(self) -> tuple[str, ...]:
        """The known actions, sorted."""
        return tuple(self.files)


@dataclass(frozen=True, eq=False)
class ActionClip:
    """One clip.

    Attributes:
        name: Folder and file.
        action: What is done in it.
        frames: ``(T, C)`` float64: root translation, then exponential maps.
        channels: C names.
        rate: Frames per second.
    """

    name: str
    action: str
    frames: NDArray[np.float64]
    channels: tuple[str, ...]
    rate: float


def find_actions(folder: Path) -> ActionFiles:
    """Find the clips in a folder: ``S<subject>/<action>_<n>.txt`` (Human3.6M), or ``train/<action>/*.txt`` or
    ``<action>/*.txt`` (CMU, where ``walking_extra`` is more walking).

    Raises:
        DataError: There are none, or a name has another form.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the folder with the clips")
    subjects = [path for path in folder.iterdir() if path.is_dir() and re.fullmatch(r"S\d+", path.name)]
    found = _h36m(subjects) if subjects else _cmu(folder / "train" if (folder / "train").is_dir() else folder)
    if not found:
        raise DataError(
            f"{folder}: holds neither train/<action>/*.txt (CMU) nor S<subject>/<action>_<n>.txt (Human3.6M)"
        )
    files = {action: tuple(sorted(found[action], key=_in_order)) for action in sorted(found)}
    return ActionFiles(H36M if subjects else CMU, files)


def load_clip(files: ActionFiles, action: str, file: Path) -> ActionClip:
    """Read one of the files.

    CMU clips lose their first frame, a calibration pose that would mark every boundary; Human3.6M clips lose every
    second frame, which makes 25 a second.

    Raises:
        DataError: It cannot be read, or is of another layout.
    """
    layout = files.layout
    try:
        # The folder says it, so that nothing has to be guessed from the values.
        recording = read(file, layout="h36m" if layout is H36M else "cmu")
    except MotionError as error:
        raise DataError(f"{error} (a {layout.name} clip has {layout.columns} columns)") from error
    frames = recording.frames[layout.skip :: layout.every]
    if not len(frames):
        raise DataError(f"{file}: has no frame but the calibration pose")
    return ActionClip(
        f"{file.parent.name}/{file.name}", action, frames, recording.channels, recording.rate / layout.every
    )


def _h36m(subjects: list[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in (path for subject in subjects for path in subject.glob("*.txt")):
        parts = re.fullmatch(r"(.+)_\d+", path.stem)
        if parts is None:
            raise DataError(f"{path}: expected a name such as S1/walking_1.txt")
        found[parts[1]].append(path)
    return found


def _cmu(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in folder.glob("*/*.txt"):
        found[path.parent.name.removesuffix("_extra")].append(path)
    return found


def _in_order(path: Path) -> tuple[str | int, ...]:
    """Numbers in a path count as numbers: take 10 comes after take 9."""
    parts = re.split(r"(\d+)", f"{path.parent.name}/{path.name}")
    return tuple(int(part) if part.isdigit() else part for part in parts)
