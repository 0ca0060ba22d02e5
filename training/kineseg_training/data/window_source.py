"""Windows of one or more clips: frames that are read, then frames that are to be predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kineseg_training.errors import DataError
from kineseg_training.models.su_shlizerman import TiedSeq2Seq

# Windows that are decoded at once.
_BATCH = 64


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


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a model decodes after W windows of S frames.

    Attributes:
        predictions: ``(W, N, C)`` float32, normalised.
        states: ``(W, N, H)`` float32, decoder states that they were read out from.
    """

    predictions: NDArray[np.float32]
    states: NDArray[np.float32]


@torch.no_grad()
def decode(model: TiedSeq2Seq, sources: Tensor, n: int) -> Decoded:
    """Read each of the sources ``(W, S, C)``, normalised, and go on for n frames."""
    parts = [model(batch.to(model.mean.device), n) for batch in _batches(sources)]
    return Decoded(
        torch.cat([prediction for prediction, _ in parts]).float().cpu().numpy(),
        torch.cat([states for _, states in parts]).float().cpu().numpy(),
    )


def _batches(rows: Tensor) -> Iterator[Tensor]:
    for begin in range(0, len(rows), _BATCH):
        yield rows[begin : begin + _BATCH]
