"""Windows of frames that are read and frames that are to be predicted; none crosses from one clip into another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kineseg_training.errors import DataError


@dataclass(frozen=True, eq=False)
class Windows:
    """A batch of windows.

    Attributes:
        source: ``(B, S, C)`` float32; row b holds ``lengths[b]`` frames, then zeros.
        lengths: ``(B,)`` int64, from the shortest source allowed up to S.
        target: ``(B, T, C)`` float32, the frames that follow the source.
    """

    source: NDArray[np.float32]
    lengths: NDArray[np.int64]
    target: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.source)

    def part(self, start: int, stop: int) -> Windows:
        """The windows ``start <= b < stop``."""
        return Windows(self.source[start:stop], self.lengths[start:stop], self.target[start:stop])


def sample_windows(
    clips: Sequence[NDArray[np.float64]], count: int, source: int, target: int, shortest: int, rng: np.random.Generator
) -> Windows:
    """`count` windows at random, every possible one equally likely.

    A window at the start of a clip has a source shorter than `source`, but at least `shortest`: the model meets
    streams that have just begun, and clips of a second or two are of use.

    Raises:
        DataError: Every clip is shorter than ``shortest + target`` frames.
    """
    places = _places(clips, shortest + target)
    chosen = rng.integers(len(places), size=count)
    return _gather(clips, places[chosen], source, target)


def cut_windows(clips: Sequence[NDArray[np.float64]], source: int, target: int, shortest: int, every: int) -> Windows:
    """All windows whose ends are `every` frames apart, for validation.

    Raises:
        DataError: As for `sample_windows`.
    """
    places = _places(clips, shortest + target)
    return _gather(clips, places[(places[:, 1] - shortest - target) % every == 0], source, target)


def _places(clips: Sequence[NDArray[np.float64]], least: int) -> NDArray[np.int64]:
    """(clip, end) of every window of at least `least` frames, end exclusive."""
    places = [(i, end) for i, clip in enumerate(clips) for end in range(least, len(clip) + 1)]
    if not places:
        longest = max((len(clip) for clip in clips), default=0)
        raise DataError(
            f"every clip is shorter than a window: the longest has {longest} frames at the model's rate, and the "
            f"shortest source and the target need {least}; use longer clips or smaller windows"
        )
    return np.array(places, dtype=np.int64)


def _gather(clips: Sequence[NDArray[np.float64]], places: NDArray[np.int64], source: int, target: int) -> Windows:
    channels = clips[0].shape[1]
    sources = np.zeros((len(places), source, channels), dtype=np.float32)
    targets = np.empty((len(places), target, channels), dtype=np.float32)
    lengths = np.empty(len(places), dtype=np.int64)
    for row, (clip, end) in enumerate(places):
        turn = end - target
        first = max(0, turn - source)
        lengths[row] = turn - first
        sources[row, : turn - first] = clips[clip][first:turn]
        targets[row] = clips[clip][turn:end]
    return Windows(sources, lengths, targets)


class WindowSource:
    """Where windows are drawn from: none reaches across two clips.

    Attributes:
        frames: ``(T, C)`` float32, all clips after one another.
        starts: ``(W,)`` int64, the first frames of all windows.
        length: L, frames in a window.
    """

    def __init__(self, clips: Sequence[NDArray[np.floating]], length: int) -> None:
        """Take clips ``(T_i, C)``; those shorter than a window give none.

        Raises:
            DataError: All are shorter than a window.
        """
        lengths = [len(clip) for clip in clips]
        if not any(n >= length for n in lengths):
            raise DataError(
                f"every clip is shorter than a window of {length} frames (the longest has {max(lengths, default=0)}); "
                "read or predict fewer frames, or give longer clips"
            )
        begins = np.cumsum([0, *lengths[:-1]])
        self.frames = torch.from_numpy(np.concatenate(clips).astype(np.float32))
        self.starts: NDArray[np.int64] = np.concatenate(
            [begin + np.arange(n - length + 1) for begin, n in zip(begins, lengths, strict=True) if n >= length]
        )
        self.length = length

    def draw(self, rng: np.random.Generator, batch: int) -> Tensor:
        """``(B, L, C)``: windows drawn with replacement, each as likely as any other."""
        return self.at(rng.choice(self.starts, batch))

    def at(self, starts: NDArray[np.int64]) -> Tensor:
        """``(B, L, C)``: the windows that begin there."""
        rows = torch.from_numpy(starts[:, None] + np.arange(self.length)).to(self.frames.device)
        return self.frames[rows]

    def spread(self, most: int) -> NDArray[np.int64]:
        """At most so many starts, evenly over all."""
        return self.starts[np.unique(np.linspace(0, len(self.starts) - 1, most).round().astype(np.int64))]
