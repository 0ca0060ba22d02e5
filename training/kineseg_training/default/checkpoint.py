"""Checkpoints of a run: everything needed to go on as if it had not been interrupted."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kineseg_training.data import Source
from kineseg_training.default.history import Epoch
from kineseg_training.errors import CheckpointError, SettingsError
from kineseg_training.files import write_atomically
from kineseg_training.models import Seq2Seq, Seq2SeqSettings

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A run after an epoch.

    Attributes:
        recipe: The settings that the run was started with, as plain values; a resumed run must have the same.
        channels: Names of the channels.
        fingerprint: Of the training data.
        source: Where the training data lay.
        rate: Frames per second that the model works at.
        model_settings: Shape of the model.
        model: Its parameters and buffers after the last epoch.
        best_model: The same after the best epoch.
        optimiser: State of the optimiser after the last epoch.
        epochs: One row for each epoch so far.
        held_out: Names of the takes that were validated on.
    """

    recipe: Mapping[str, Any]
    channels: tuple[str, ...]
    fingerprint: str
    source: Source
    rate: float
    model_settings: Seq2SeqSettings
    model: Mapping[str, Tensor]
    best_model: Mapping[str, Tensor]
    optimiser: Mapping[str, Any]
    epochs: tuple[Epoch, ...]
    held_out: tuple[str, ...]

    def best(self) -> Seq2Seq:
        """The model after its best epoch, on the CPU, ready to be used."""
        model = Seq2Seq(self.model_settings)
        model.load_state_dict(dict(self.best_model))
        return model.eval()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint`, whole or not at all."""
    content = io.BytesIO()
    torch.save(
        {
            "format": FORMAT,
            "recipe": dict(checkpoint.recipe),
            "channels": list(checkpoint.channels),
            "fingerprint": checkpoint.fingerprint,
            "source": checkpoint.source.plain(),
            "rate": checkpoint.rate,
            "model_settings": asdict(checkpoint.model_settings),
            "model": dict(checkpoint.model),
            "best_model": dict(checkpoint.best_model),
            "optimiser": dict(checkpoint.optimiser),
            "epochs": [asdict(epoch) for epoch in checkpoint.epochs],
            "held_out": list(checkpoint.held_out),
        },
        content,
    )
    write_atomically(path, content.getvalue())


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; tensors come to the CPU.

    Raises:
        CheckpointError: There is none, or it is not one of ours.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; train first with `kineseg-train fit`")
    try:
        # Plain values and tensors only, so that a checkpoint from elsewhere cannot run code.
        raw = torch.load(path, map_location="cpu", weights_only=True)
        if raw["format"] != FORMAT:
            raise CheckpointError(f"{path}: checkpoint format {raw['format']}, expected {FORMAT}; train again")
        return Checkpoint(
            recipe=raw["recipe"],
            channels=tuple(raw["channels"]),
            fingerprint=raw["fingerprint"],
            source=Source.from_plain(raw["source"]),
            rate=raw["rate"],
            model_settings=Seq2SeqSettings(**raw["model_settings"]),
            model=raw["model"],
            best_model=raw["best_model"],
            optimiser=raw["optimiser"],
            epochs=tuple(Epoch(**row) for row in raw["epochs"]),
            held_out=tuple(raw["held_out"]),
        )
    except (CheckpointError, SettingsError):
        raise
    except Exception as error:  # torch.load raises whatever unpickling raises
        raise CheckpointError(f"{path}: not a checkpoint of kineseg-train ({error})") from error
