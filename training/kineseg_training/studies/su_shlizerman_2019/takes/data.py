"""Annotated takes of subject 86 as exponential maps: several actions in one take, each begun and ended by people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kineseg.motion import MotionError, Recording, read
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.su_shlizerman_2019.task import CONSTANT


@dataclass(frozen=True, eq=False)
class Take:
    """One take, as the predictor gets it and as it is judged.

    Attributes:
        name: Its number, such as ``03``.
        recording: All its frames, at its own rate, with joint positions and truth.
        frames: ``(T, C)`` float64 exponential maps (and the root's) of every `every`-th frame, without the channels
            that never change.
        every: Frames of the recording for one of `frames`.
        boundaries: First row of `frames` of every true segment, 0 first.
        labels: ``(R,)`` true class of every frame of the recording.
        channels: C names.
    """

    name: str
    recording: Recording
    frames: NDArray[np.float64]
    every: int
    boundaries: tuple[int, ...]
    labels: NDArray[np.int64]
    channels: tuple[str, ...]

    @property
    def classes(self) -> int:
        """Number of true classes."""
        return len(np.unique(self.labels))

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First row and the one after the last of every true segment: what an oracle knows."""
        return tuple(zip(self.boundaries, (*self.boundaries[1:], len(self.frames)), strict=True))

    def at_own_rate(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Labels of `frames`, ``(T,)``, for every frame of the recording, ``(R,)``."""
        return np.repeat(labels, self.every)[: self.recording.n_frames]


def take_numbers(cmu: Path) -> tuple[str, ...]:
    """The takes that there are, sorted."""
    return tuple(sorted(file.stem for file in (cmu / "subject_86").glob("*.mat")))


def load_take(cmu: Path, number: str, *, every: int = 1, frames: tuple[int, int] | None = None) -> Take:
    """Read a take.

    Args:
        cmu: Folder of the CMU clips, with ``subject_86``.
        number: Of the take, such as ``3`` or ``03``.
        every: Keep every so many-th frame; 1, as the authors do, is all 120 a second.
        frames: First frame, and the one after the last, of a piece of it.

    Raises:
        DataError: There is no such take, it is not annotated, or has one class only.
        SettingsError: `every` is below 1.
    """
    if every < 1:
        raise SettingsError(f"every must be at least 1, got {every}")
    path = cmu / "subject_86" / f"{number.zfill(2)}.mat"
    if not path.is_file():
        there = ", ".join(take_numbers(cmu)) or "none"
        raise DataError(f"{path}: there is no such take; there are: {there}")
    try:
        recording = read(path)
    except MotionError as error:
        raise DataError(str(error)) from error
    if frames is not None:
        recording = recording.slice(*frames)
    if recording.truth is None:
        raise DataError(
            f"{path}: is not annotated ({path.stem}_ground_truth.txt beside it has to say where actions begin)"
        )
    labels = recording.truth.frame_labels(recording.n_frames)
    if len(np.unique(labels)) < 2:
        raise DataError(f"{path}: has one action only ({recording.truth.names[0]}); there is nothing to tell apart")
    moving = recording.frames.std(axis=0) >= CONSTANT
    return Take(
        name=path.stem,
        recording=recording,
        frames=recording.frames[::every][:, moving],
        every=every,
        boundaries=tuple(-(-start // every) for start in recording.truth.boundaries),
        labels=labels,
        channels=tuple(np.array(recording.channels)[moving].tolist()),
    )
