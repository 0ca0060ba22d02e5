"""Recordings that people annotated: what they take for a boundary, and for none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from kineseg.motion import Recording, canonical_pose, read
from numpy.typing import NDArray

from kineseg_training.default.boundary_network.streams.columns import CHANNELS
from kineseg_training.default.boundary_network.streams.stream import BODY_RATE
from kineseg_training.errors import DataError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Annotated:
    """A recording with its truth.

    Attributes:
        frames: ``(T, 59)`` canonical at `BODY_RATE`, or ``(T, C)`` channels of any meaning.
        rate: Frames per second.
        boundaries: ``(K, 2)`` seconds at which a segment begins, and half of how long the change may take.
        actions: ``(K + 1,)`` what is done in each segment.
    """

    frames: Array
    rate: float
    boundaries: Array
    actions: tuple[str, ...]

    @property
    def is_body(self) -> bool:
        """Whether its frames are canonical."""
        return bool(self.frames.shape[1] == CHANNELS)

    def parts(self) -> Iterator[tuple[str, Array]]:
        """Each segment's action and frames, without what may belong to its neighbours."""
        inner = [(0.0, 0.0), *map(tuple, self.boundaries), (len(self.frames) / self.rate, 0.0)]
        for action, ((start, after), (end, before)) in zip(self.actions, pairwise(inner), strict=True):
            yield action, self.frames[round((start + after) * self.rate) : round((end - before) * self.rate)]


def takes(folder: Path) -> list[Annotated]:
    """The CMU takes of subject 86, folder ``subject_86``.

    Raises:
        DataError: There are none.
    """
    recordings = [read(path) for path in sorted((folder / "subject_86").glob("*.mat"))]
    annotated = [_of_recording(recording) for recording in recordings if recording.truth is not None]
    if not annotated:
        raise DataError(f"{folder}: has no annotated takes (subject_86/*.mat with *_ground_truth.txt); leave out takes")
    return annotated


def exercises(folder: Path) -> list[Annotated]:
    """The CMU exercise takes, folder ``mocap6`` beside the clips.

    Raises:
        DataError: There are none.
    """
    return [_body(*one) for one in _labelled(folder.parent / "mocap6", "mocap6")]


def gestures(folder: Path) -> list[Annotated]:
    """A seated speaker's hands and head, folder ``gesturephase`` beside the clips.

    Raises:
        DataError: There are none.
    """
    return [
        Annotated(np.asarray(recording.frames, np.float64), recording.rate, boundaries, actions)
        for recording, boundaries, actions in _labelled(folder.parent / "gesturephase", "gesturephase")
    ]


READERS: dict[str, Callable[[Path], list[Annotated]]] = {
    "takes": takes, "mocap6": exercises, "gesturephase": gestures,
}  # fmt: skip
"""By source: what reads it, given the folder of the CMU clips."""


def _of_recording(recording: Recording) -> Annotated:
    truth = recording.truth
    assert truth is not None  # only those are kept
    edges = np.array(truth.tolerance, np.float64)[1:] / recording.rate
    best = np.array(truth.boundaries, np.float64)[1:] / recording.rate
    boundaries = np.stack([best, (edges[:, 1] - edges[:, 0]) / 2.0], axis=1)
    return _body(recording, boundaries, tuple(truth.names))


def _body(recording: Recording, boundaries: Array, actions: tuple[str, ...]) -> Annotated:
    assert recording.positions is not None
    every = round(recording.rate / BODY_RATE)
    slower = replace(
        recording, frames=recording.frames[::every], positions=recording.positions[::every],
        rate=recording.rate / every, truth=None,
    )  # fmt: skip
    return Annotated(np.asarray(canonical_pose(slower).frames, np.float64), slower.rate, boundaries, actions)


def _labelled(folder: Path, source: str) -> Iterator[tuple[Recording, Array, tuple[str, ...]]]:
    labels = folder / "labels.json"
    if not labels.is_file():
        raise DataError(
            f"{folder}: has no labels.json; name a folder of clips that has {source} beside it, or leave out {source}"
        )
    for stem, facts in json.loads(labels.read_text())["streams"].items():
        low, best, high = np.array(facts["transitions"], np.float64).reshape(-1, 3).T / facts["fps"]
        boundaries = np.stack([best, (high - low) / 2.0], axis=1)
        yield read(folder / f"{stem}.npz"), boundaries, tuple(name for _, _, name in facts["segments"])
