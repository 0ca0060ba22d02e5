"""How far a model's frames are from the true ones, frame by frame, and those of predictions that need no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kineseg_training.data import LabelledClips
from kineseg_training.errors import DataError
from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.studies.srivastava_2015.sequences import windows

STAYS = "the last frame stays"
GOES_ON = "goes on as between the last two"
MEAN = "mean of the training frames"
AVERAGE = "mean of the frames read"

Errors = dict[str, NDArray[np.float64]]


def evaluation_windows(clips: LabelledClips, count: int, length: int) -> dict[str, NDArray[np.float32]]:
    """Of every action that has clips of `length` frames, evenly spread windows ``(N, length, C)``, N about as many.

    Args:
        clips: To cut them from.
        count: At most so many windows altogether.
        length: Frames of each.

    Raises:
        DataError: All clips are shorter.
    """
    each = max(1, count // len(clips.actions))
    found: dict[str, NDArray[np.float32]] = {}
    for action in clips.actions:
        frames = [clip.frames for clip in clips.clips if clip.action == action and len(clip.frames) >= length]
        if frames:
            found[action] = windows(frames, each, length)
    if not found:
        longest = max(len(clip.frames) for clip in clips.clips)
        raise DataError(f"every test clip is shorter than {length} frames (the longest has {longest})")
    return found


def squared(frames: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """Mean squared error of each frame over windows and channels, ``(n,)``; both ``(B, n, C)``."""
    return ((frames - truth) ** 2).double().mean(dim=(0, 2)).numpy()


@torch.no_grad()
def model_errors(model: CompositeLSTM, frames: NDArray[np.float32], source: int) -> Errors:
    """Of the decoders that there are, on their own output: ``past`` by frames back, ``future`` by frames ahead.

    Args:
        model: Whose.
        frames: ``(B, source + n, C)``, not normalised.
        source: Frames read.
    """
    window = model.normalise(torch.from_numpy(frames))
    read, truth = window[:, :source], window[:, source:]
    _, state = model.encode(read)
    found = {}
    if model.reconstruction is not None:
        found["past"] = squared(model.reconstruct(state, source), read.flip(1))
    if model.future is not None:
        found["future"] = squared(model.predict(state, truth.shape[1], read[:, -1]), truth)
    return found


def baseline_errors(model: CompositeLSTM, frames: NDArray[np.float32], source: int) -> Errors:
    """What needs no model, in the normalised channels of `model`; arguments as above.

    Of `STAYS`, `GOES_ON` and `MEAN` by frames ahead; of `AVERAGE`, given back for every frame read, by frames back.
    """
    window = model.normalise(torch.from_numpy(frames))
    read, truth = window[:, :source], window[:, source:]
    last = read[:, -1:]
    change = last - read[:, -2:-1]
    ahead = torch.arange(1, truth.shape[1] + 1)[:, None]
    return {
        STAYS: squared(last.expand_as(truth), truth),
        GOES_ON: squared(last + ahead * change, truth),
        MEAN: squared(torch.zeros_like(truth), truth),
        AVERAGE: squared(read.mean(dim=1, keepdim=True).expand_as(read), read.flip(1)),
    }


def over_actions(found: Sequence[Errors]) -> Errors:
    """Mean over actions, each counting the same however many windows it has; one mapping an action."""
    return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}
