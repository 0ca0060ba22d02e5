"""Clips of known actions as exponential maps, and several of them one after another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kineseg.motion import MotionError, read
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.su_shlizerman_2019.task import CONSTANT

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


@dataclass(frozen=True)
class Stretch:
    """Where one clip lies.

    Attributes:
        action: What is done in it.
        name: Of the clip.
        start: First frame.
        stop: One after the last.
    """

    action: str
    name: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Concatenation:
    """A sequence of T frames.

    Attributes:
        frames: ``(T, C)`` float64, only channels that change.
        channels: C names.
        rate: Frames per second.
        stretches: In order, without gaps.
    """

    frames: NDArray[np.float64]
    channels: tuple[str, ...]
    rate: float
    stretches: tuple[Stretch, ...]

    @property
    def actions(self) -> tuple[str, ...]:
        """In the order of their first appearance."""
        return tuple(dict.fromkeys(stretch.action for stretch in self.stretches))

    def labels(self) -> NDArray[np.int64]:
        """``(T,)``: index of each frame's action in `actions`. An action that comes again has the same label."""
        order = {action: label for label, action in enumerate(self.actions)}
        return np.concatenate([np.full(s.stop - s.start, order[s.action], dtype=np.int64) for s in self.stretches])

    def boundaries(self) -> tuple[int, ...]:
        """First frames of all stretches but the first."""
        return tuple(stretch.start for stretch in self.stretches[1:])


def choose(files: ActionFiles, actions: Sequence[str], number: int, seed: int) -> tuple[str, ...]:
    """The actions to use: those named, or `number` drawn at random.

    Raises:
        SettingsError: An unknown action, one twice, fewer than two, or more than there are.
    """
    known = ", ".join(files.actions)
    if actions:
        unknown = [action for action in actions if action not in files.files]
        if unknown:
            raise SettingsError(f"actions: there is no {', '.join(unknown)} here; there are {known}")
        if len(set(actions)) < len(actions):
            raise SettingsError("actions: one is named twice; ask for repeated appearances with total_num_actions")
        number = len(actions)
    if number < 2:
        raise SettingsError(f"num_actions: {number} action(s) to distinguish; at least two are needed, of {known}")
    if number > len(files.actions):
        raise SettingsError(f"num_actions: there are {len(files.actions)} actions only, not {number}: {known}")
    return tuple(actions) or tuple(np.random.default_rng((seed, 1)).choice(files.actions, number, replace=False))


def concatenate(
    files: ActionFiles, actions: Sequence[str], total: int, seed: int, *, shortest: int, root: bool = True
) -> Concatenation:
    """Put clips of the actions after one another.

    Each action appears once in the order given, then, up to `total` appearances, actions drawn at random, never the
    same twice running. Takes are drawn at random, none twice while there are others.

    Args:
        files: Where the clips are.
        actions: At least two.
        total: Appearances.
        seed: Of all drawing.
        shortest: Frames that each clip must have.
        root: Keep translation and rotation of the root, as the published experiments do: it separates clips that
            were recorded at different places.

    Raises:
        SettingsError: `total` is less than the number of actions.
        DataError: A clip is unreadable or shorter than `shortest`.
    """
    if total < len(actions):
        raise SettingsError(f"total_num_actions: {total} appearances of {len(actions)} actions; each must appear once")
    rng = np.random.default_rng((seed, 2))
    order = list(actions)
    while len(order) < total:
        order.append(str(rng.choice([action for action in actions if action != order[-1]])))
    left = {action: list(rng.permutation(len(files.files[action]))) for action in actions}
    clips = []
    for action in order:
        takes = left[action] or list(rng.permutation(len(files.files[action])))
        take, left[action] = takes[0], takes[1:]
        clips.append(load_clip(files, action, files.files[action][take]))
    return join(clips, shortest=shortest, root=root)


def join(clips: Sequence[ActionClip], *, shortest: int, root: bool = True) -> Concatenation:
    """Put these clips after one another; see `concatenate`.

    Raises:
        DataError: One is shorter than `shortest`, or they differ in channels.
    """
    for clip in clips:
        if len(clip.frames) < shortest:
            raise DataError(
                f"{clip.name}: {len(clip.frames)} frames are shorter than a window of {shortest}; read or predict "
                "fewer frames, or leave it out"
            )
        if clip.channels != clips[0].channels:
            raise DataError(f"{clip.name}: has other channels than {clips[0].name}")
    frames = np.concatenate([clip.frames for clip in clips])
    first = 0 if root else ROOT_COLUMNS
    used = first + np.flatnonzero(frames[:, first:].std(axis=0) >= CONSTANT)
    edges = np.cumsum([0, *[len(clip.frames) for clip in clips]])
    return Concatenation(
        frames[:, used],
        tuple(clips[0].channels[column] for column in used),
        clips[0].rate,
        tuple(
            Stretch(clip.action, clip.name, int(a), int(b))
            for clip, a, b in zip(clips, edges[:-1], edges[1:], strict=True)
        ),
    )
