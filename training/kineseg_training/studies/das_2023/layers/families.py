"""The models whose layers are compared: every family, as trained and with random weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from kineseg_training.data import LabelledClips
from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.models.seq2seq import Seq2Seq
from kineseg_training.models.stgcn import STGCN
from kineseg_training.models.su_shlizerman import TiedSeq2Seq
from kineseg_training.studies.das_2023.layers.smoothness import Layered
from kineseg_training.studies.das_2023.trained import trained_stgcn
from kineseg_training.studies.exhibit import RunContext
from kineseg_training.studies.families import trained_seq2seq
from kineseg_training.studies.srivastava_2015.trained import trained_composite
from kineseg_training.studies.states import DECODER, ENCODER, read_states
from kineseg_training.studies.su_shlizerman_2019.trained import trained_su

# Frames that the service's predictor reads before it goes on for as many: what the tied predictor does.
_STRETCH = 16


Model = STGCN | TiedSeq2Seq | CompositeLSTM | Seq2Seq
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Family:
    """A family of models.

    Attributes:
        name: Short, for files and figures.
        title: As in pictures and tables.
        supervised: Whether it was given the actions.
        trained: Train it, or load what is finished; in eval mode.
    """

    name: str
    title: str
    supervised: bool
    trained: Callable[[], Model]


class ServicePredictor:
    """The layers of the predictor that the service ships.

    Args:
        model: In eval mode.
    """

    def __init__(self, model: Seq2Seq) -> None:
        self._model = model

    def layer_sequences(self, frames: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """``input`` and ``encoder``, while it reads the whole clip; ``decoder``, while it predicts 16 frames at a time,
        each time after reading the 16 before them."""
        clip = np.asarray(frames, dtype=np.float32)
        read = min(_STRETCH, len(clip) - 1)
        starts = range(0, len(clip) - read, _STRETCH)
        stretches = np.stack([clip[start : start + read] for start in starts])
        decoded = read_states(self._model, stretches, _STRETCH)[DECODER].reshape(-1, self._model.settings.hidden)
        with torch.no_grad():
            normal = self._model.normalise(torch.from_numpy(clip).to(self._model.mean.device)).cpu().numpy()
        return {"input": normal, ENCODER: self._model.trace(clip)[0], DECODER: decoded[: len(clip) - read]}


def families(context: RunContext, train: LabelledClips) -> tuple[Family, ...]:
    """ST-GCN, tied GRU, composite LSTM and the service's GRU; nothing is trained before it is asked for.

    Args:
        context: Where trained models are, or will be.
        train: Training clips.
    """
    return (
        Family("stgcn", "ST-GCN", True, lambda: trained_stgcn(context)),
        Family("su", "tied GRU", False, lambda: trained_su(context)),
        Family("composite", "composite LSTM", False, lambda: trained_composite(context)),
        Family("seq2seq", "GRU of the service", False, lambda: trained_seq2seq(context, train)),
    )


def layered(model: Model) -> Layered:
    """The model as something that can be looked into."""
    return ServicePredictor(model) if isinstance(model, Seq2Seq) else model


def untrained(model: M, seed: int) -> M:
    """One of the same shape and normalisation with random weights; in eval mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        other = type(model)(model.settings)  # type: ignore[arg-type]  # its own settings
    other.mean.copy_(model.mean)
    other.scale.copy_(model.scale)
    return cast(M, other.eval())
