"""The course of a training run: one row an epoch, as CSV and as a plot."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from kineseg_training.files import write_atomically


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; errors are mean squares in normalised channels.

    Attributes:
        epoch: From 1.
        learning_rate: In this epoch.
        train_loss: Rollout plus one-step error on the training windows.
        validation_loss: The same on the held-out takes.
        validation_rollout: Error of the predicted target frames on the held-out takes.
        validation_one_step: Error one frame ahead on the held-out takes.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float
    validation_rollout: float
    validation_one_step: float


def write_csv(path: Path, epochs: Sequence[Epoch]) -> None:
    """One line an epoch, with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Epoch)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(epoch) for epoch in epochs)
    write_atomically(path, text.getvalue().encode())


def write_plot(path: Path, epochs: Sequence[Epoch], baseline: float) -> None:
    """Losses over epochs as PNG, with the rollout error of the zero-velocity `baseline`."""
    from matplotlib.figure import Figure  # the only user; a second to import

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    numbers = [epoch.epoch for epoch in epochs]
    axes.plot(numbers, [epoch.train_loss for epoch in epochs], label="training loss")
    axes.plot(numbers, [epoch.validation_loss for epoch in epochs], label="validation loss")
    axes.plot(numbers, [epoch.validation_rollout for epoch in epochs], label="validation, predicted frames")
    axes.plot(numbers, [epoch.validation_one_step for epoch in epochs], label="validation, one frame ahead")
    axes.axhline(baseline, color="grey", linestyle="--", label="nothing moves, predicted frames")
    axes.set(xlabel="epoch", ylabel="mean squared error, normalised", yscale="log")
    axes.legend(fontsize="small")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, picture.getvalue())
