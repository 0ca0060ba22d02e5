"""What the embedding is made of: posture, how fast it changes, and what the recurrent cell remembers.

The graph of a bundle computes the same numbers frame by frame; here they are computed for a whole recording at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kineseg_training.errors import SettingsError
from kineseg_training.export.surprise import Surprise
from kineseg_training.models import Seq2Seq

Block = Literal["pose", "speed", "state"]
# Normalised channels are bent towards this limit: far out a posture is unusual, and how unusual says
# little about which action it belongs to (a single raised leg would outweigh all else).
POSE_LIMIT = 1.5
BLOCKS: tuple[Block, ...] = get_args(Block)


@dataclass(frozen=True, eq=False)
class View:
    """How the embedding sees normalised channels: ``factor * x + shift``.

    The predictor is normalised to what it was trained on. The embedding may learn from more, and how far a posture is
    from the middle of all that is what its bend should go by.

    Attributes:
        factor: ``(C,)``, positive.
        shift: ``(C,)``.
    """

    factor: NDArray[np.float64]
    shift: NDArray[np.float64]

    @classmethod
    def of(cls, frames: NDArray[np.float64]) -> View:
        """By which ``(T, C)`` normalised `frames` get mean 0 and deviation 1, but for channels that hardly move."""
        deviation = frames.std(axis=0)
        factor = 1.0 / np.maximum(deviation, max(0.1 * float(np.median(deviation)), 1e-6))
        return cls(factor, -frames.mean(axis=0) * factor)


@dataclass(frozen=True, eq=False)
class PredictorTrace:
    """A predictor's whole way through a recording, from the initial state.

    Attributes:
        frames: ``(T, C)`` normalised frames.
        hidden: ``(T, H)`` hidden state after each frame.
        prediction: ``(T, C)`` normalised prediction, after each frame, of the next.
    """

    frames: NDArray[np.float64]
    hidden: NDArray[np.float64]
    prediction: NDArray[np.float64]

    @classmethod
    def through(cls, model: Seq2Seq, frames: NDArray[np.floating]) -> PredictorTrace:
        """Run `model` over ``(T, C)`` frames in the units of their channels."""
        hidden, prediction = model.trace(frames)
        mean, scale = (buffer.cpu().numpy().astype(np.float64) for buffer in (model.mean, model.scale))
        return cls((frames - mean) / scale, hidden.astype(np.float64), prediction.astype(np.float64))

    def squared_error(self) -> NDArray[np.float64]:
        """``(T - 1, C)`` squared errors, in normalised channels, of the prediction before each frame but the first."""
        return np.asarray((self.frames[1:] - self.prediction[:-1]) ** 2)

    def surprise(self, measure: Surprise) -> NDArray[np.float64]:
        """``(T,)`` by the `measure`; 0 for the first frame, which nothing predicted."""
        return np.concatenate([np.zeros(1), measure(self.squared_error())])

    def block(self, block: Block, view: View) -> NDArray[np.float64]:
        """``(T, F)`` of one block as seen in the `view`: ``pose`` F = C, ``speed`` F = C, ``state`` F = H."""
        if block == "state":
            return self.hidden
        seen = self.frames * view.factor + view.shift
        if block == "pose":
            return np.asarray(POSE_LIMIT * np.tanh(seen / POSE_LIMIT))
        # The root tames the bursts: a kick is faster than a wave, but not fifty times as far away from it.
        return np.asarray(np.sqrt(np.abs(np.diff(seen, axis=0, prepend=seen[:1]))))

    def features(self, blocks: Sequence[Block], view: View) -> list[NDArray[np.float64]]:
        """The blocks asked for, in that order, as seen in the `view`."""
        return [self.block(block, view) for block in blocks]


def check_blocks(blocks: Sequence[str]) -> tuple[Block, ...]:
    """The blocks in their usual order.

    Raises:
        SettingsError: None, an unknown or a repeated one.
    """
    unknown = sorted(set(blocks) - set(BLOCKS))
    if not blocks or unknown or len(set(blocks)) != len(blocks):
        raise SettingsError(f"blocks must be some of {', '.join(BLOCKS)}, each once; got {list(blocks)}")
    return tuple(block for block in BLOCKS if block in blocks)
