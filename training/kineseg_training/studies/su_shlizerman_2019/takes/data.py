"""Annotated takes of subject 86 as exponential maps, and their windows and filling with and without an oracle.

The script that the authors published for subject 86 uses the annotation twice before it clusters anything: it cuts the
take at the true boundaries, so that no window ever reaches across one, and it fills the frames that were not decoded
with a label from the same true segment. Both are kept here, by name, beside what can be done without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from kineseg.motion import MotionError, Recording, read
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.su_shlizerman import TiedSeq2Seq, decode
from kineseg_training.studies.su_shlizerman_2019.task import CONSTANT

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Take:
    """One take, as the predictor gets it and as it is evaluated.

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
        raise DataError(f"{path}: has one action only ({recording.truth.names[0]}); there is nothing to distinguish")
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


@dataclass(frozen=True, eq=False)
class States:
    """What was decoded in a take.

    Attributes:
        frames: ``(K,)`` rows that were decoded, rising.
        states: ``(K, H)`` float32, the decoder state of each.
    """

    frames: NDArray[np.int64]
    states: NDArray[np.float32]


def window_starts(spans: Sequence[Span], source: int, target: int) -> NDArray[np.int64]:
    """First rows of windows of `source` + `target` frames, `target` apart, none of which reaches across two spans.

    Args:
        spans: First row and the one after the last; the true segments (an oracle), or one span for the whole take.
        source: Frames read.
        target: Frames predicted.
    """
    starts = [np.arange(first, last - source - target + 1, target) for first, last in spans]
    return np.concatenate([np.empty(0, dtype=np.int64), *starts]).astype(np.int64)


def decode_spans(model: TiedSeq2Seq, frames: NDArray[np.floating], spans: Sequence[Span]) -> States:
    """Decode windows that slide through each span by as many frames as are predicted.

    Args:
        model: In eval mode.
        frames: ``(T, C)`` channels, not normalised.
        spans: See `window_starts`.

    Raises:
        DataError: Every span is shorter than a window.
    """
    source, target = model.settings.source, model.settings.target
    starts = window_starts(spans, source, target)
    if not len(starts):
        longest = max((last - first for first, last in spans), default=0)
        raise DataError(
            f"no window of {source} + {target} frames fits (the longest stretch has {longest}); read or predict fewer"
        )
    with torch.no_grad():
        clip = model.normalise(torch.from_numpy(np.asarray(frames, dtype=np.float32)).to(model.mean.device))
        rows = torch.from_numpy(starts[:, None] + np.arange(source)).to(clip.device)
        states = decode(model, clip[rows], target).states
    where = (starts[:, None] + source + np.arange(target)).ravel()
    return States(where, states.reshape(len(where), -1))


def fill_nearest(labels: NDArray[np.int64], decoded: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Labels of all `length` rows: each row takes that of the decoded row nearest in time, the earlier of two.

    Args:
        labels: ``(K,)``.
        decoded: ``(K,)`` rising rows that have them.
        length: T.
    """
    edges = (decoded[1:] + decoded[:-1]) / 2
    return labels[np.searchsorted(edges, np.arange(length))]


def fill_per_span(
    labels: NDArray[np.int64], decoded: NDArray[np.int64], length: int, spans: Sequence[Span]
) -> NDArray[np.int64]:
    """As `fill_nearest`, but each row takes its label from its own span: with true segments for spans, an ORACLE.

    A span without any decoded row takes the label that is nearest in time.
    """
    filled = fill_nearest(labels, decoded, length)
    for first, last in spans:
        mine = (decoded >= first) & (decoded < last)
        if mine.any():
            filled[first:last] = fill_nearest(labels[mine], decoded[mine] - first, last - first)
    return filled
