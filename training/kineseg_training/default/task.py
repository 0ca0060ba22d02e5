"""Training the predictor that the service ships: windows of takes in, the error of what it predicts to be minimised."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kineseg_training.data import (
    Augmentation,
    Clip,
    Corpus,
    Windows,
    augment,
    cut_windows,
    mirrored,
    resample,
    sample_windows,
    split_by_take,
)
from kineseg_training.errors import SettingsError
from kineseg_training.loop import Task, Update
from kineseg_training.models import Seq2Seq, Seq2SeqSettings
from kineseg_training.models.seq2seq import Cell

FAMILY = "seq2seq"

_AT_ONCE = 256  # windows that are validated at once


@dataclass(frozen=True)
class FitSettings:
    """How to train. What is given in frames is in frames at the model's rate.

    Attributes:
        rate: Frames per second of the model.
        hidden: Units of the recurrent cell.
        cell: ``gru`` or ``lstm``.
        source: Frames read before predicting.
        target: Frames predicted.
        shortest_source: Least number of frames read, where a clip has no more.
        batch: Windows in a batch.
        steps: Batches in an epoch.
        epochs: Most epochs.
        patience: Stop when so many epochs brought no better validation loss.
        learning_rate: Of the first epoch; falls along a half cosine to a twentieth.
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient.
        one_step_weight: Weight of the error one frame ahead, next to that of the predicted frames.
        validation_share: Share of the takes held out.
        augmentation: Variations of the training takes.
        seed: Of everything random.
    """

    rate: float = 30.0
    hidden: int = 256
    cell: Cell = "gru"
    source: int = 50
    target: int = 25
    shortest_source: int = 10
    batch: int = 32
    steps: int = 40
    epochs: int = 20
    patience: int = 10
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    one_step_weight: float = 10.0
    validation_share: float = 0.15
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("source", "target", "shortest_source", "batch", "steps", "epochs", "patience"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("rate", "learning_rate", "clip_norm"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise SettingsError(f"{name} must be a positive number, got {getattr(self, name)}")
        for name in ("weight_decay", "one_step_weight"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise SettingsError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.shortest_source > self.source:
            raise SettingsError(
                f"shortest_source ({self.shortest_source}) must not be longer than source ({self.source})"
            )

    def recipe(self) -> dict[str, Any]:
        """The settings as plain values."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> FitSettings:
        """What `recipe` gave, among other things."""
        plain = {field.name: recipe[field.name] for field in fields(cls)}
        varied = plain["augmentation"]
        return cls(**plain | {"augmentation": Augmentation(**varied | {"tempo": tuple(varied["tempo"])})})


@dataclass(frozen=True, eq=False)
class _Epoch:
    """What is trained on in an epoch, drawn at its beginning.

    Attributes:
        number: From 0.
        windows: Of all its batches.
        noise: ``(N, S, C)`` float32, to be added to the normalised sources; None: none is.
    """

    number: int
    windows: Windows
    noise: NDArray[np.float32] | None


class PredictorTask(Task):
    """Minimise the error of the predicted frames, and of the frame ahead of every frame read.

    ``validation_loss`` is what is minimised, ``rollout_loss`` and ``one_step_loss`` are its two parts, all as mean
    squares in normalised channels; ``standing_still_loss`` is the rollout's where nothing moves any more.

    Args:
        corpus: What to learn from.
        settings: How.

    Raises:
        DataError: Too few or too short takes.
        SettingsError: Settings that do not fit the data.
    """

    network: Seq2Seq

    def __init__(self, corpus: Corpus, settings: FitSettings) -> None:
        self._clips, validation = split_by_take(corpus.clips, settings.validation_share, settings.seed)
        held_out = [resample(clip.frames, clip.rate, settings.rate) for clip in validation]
        self._held_out = cut_windows(
            held_out, settings.source, settings.target, settings.shortest_source, every=max(1, settings.target // 2)
        )
        self._channels, self._settings = corpus.channels, settings
        self._epoch: _Epoch | None = None
        statistics = _model_rate_frames(self._clips, corpus.channels, settings)
        self.network = _new_model(len(corpus.channels), settings, statistics)
        self._standing_still = _zero_velocity(self._held_out, self.network)
        self._adamw = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.optimisers = {"adamw": self._adamw}
        self.recipe = {
            "family": FAMILY,
            **settings.recipe(),
            "channels": list(corpus.channels),
            "data": corpus.fingerprint,
        }
        self.notes = {"source": corpus.source.plain(), "held_out": [clip.name for clip in validation]}

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """One batch of the epoch that the iteration belongs to."""
        settings = self._settings
        number, batch = divmod(iteration - 1, settings.steps)
        if self._epoch is None or self._epoch.number != number:
            self._epoch = self._drawn(number)
        for group in self._adamw.param_groups:
            group["lr"] = _learning_rate(number, settings)
        share = update.processes.share(settings.batch)
        first = batch * settings.batch
        rows = slice(first + share.start, first + share.stop)
        noise = None if self._epoch.noise is None else self._epoch.noise[rows]
        # A share may have more frames read than another: the mean is over those of the batch.
        read = _pairs(self._epoch.windows.lengths[first : first + settings.batch]) / update.processes.count
        with update.precision():
            rollout, one_step = _errors(
                self.network, self._epoch.windows.part(rows.start, rows.stop), read, settings.augmentation.noise, noise
            )
            loss = rollout + settings.one_step_weight * one_step
        update(loss, self._adamw, settings.clip_norm)
        return {"train_loss": loss.item()}

    def validate(self) -> Mapping[str, float]:
        """On windows of the takes that were held out."""
        totals = np.zeros(2)
        for start in range(0, len(self._held_out), _AT_ONCE):
            part = self._held_out.part(start, start + _AT_ONCE)
            totals += [len(part) * error.item() for error in _errors(self.network, part, _pairs(part.lengths))]
        rollout, one_step = (totals / len(self._held_out)).tolist()
        return {
            "validation_loss": rollout + self._settings.one_step_weight * one_step,
            "rollout_loss": rollout,
            "one_step_loss": one_step,
            "standing_still_loss": self._standing_still,
        }

    def _drawn(self, number: int) -> _Epoch:
        """Each take is varied once an epoch, so the whole of it is drawn from one generator."""
        settings = self._settings
        rng = np.random.default_rng((settings.seed, number + 1))
        varied = [augment(clip, self._channels, settings.rate, settings.augmentation, rng) for clip in self._clips]
        windows = sample_windows(
            varied, settings.steps * settings.batch, settings.source, settings.target, settings.shortest_source, rng
        )
        noisy = settings.augmentation.noise > 0.0
        noise = rng.standard_normal(windows.source.shape, dtype=np.float32) if noisy else None
        return _Epoch(number, windows, noise)


def _model_rate_frames(
    clips: tuple[Clip, ...], channels: tuple[str, ...], settings: FitSettings
) -> NDArray[np.float64]:
    """All training frames, and their mirror images if mirroring is on, for mean and scale."""
    frames = np.concatenate([resample(clip.frames, clip.rate, settings.rate) for clip in clips])
    if settings.augmentation.mirror:
        frames = np.concatenate([frames, mirrored(frames, channels)])
    return frames


def _new_model(n_channels: int, settings: FitSettings, frames: NDArray[np.float64]) -> Seq2Seq:
    torch.manual_seed(settings.seed)
    model = Seq2Seq(Seq2SeqSettings(n_channels, settings.hidden, settings.cell))
    deviation = frames.std(axis=0)
    # A channel that hardly moves in training must not make a storm of its noise later.
    floor = max(0.1 * float(np.median(deviation)), 1e-6)
    model.set_normalisation(frames.mean(axis=0), np.maximum(deviation, floor))
    return model


def _learning_rate(epoch: int, settings: FitSettings) -> float:
    done = epoch / settings.epochs
    return settings.learning_rate * (0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * done)))


def _pairs(lengths: NDArray[np.int64]) -> Tensor:
    """How many frames of the sources have another one after them; 1 at least."""
    return torch.tensor(int((lengths - 1).sum())).clamp(min=1)


def _errors(
    model: Seq2Seq, windows: Windows, read: Tensor, level: float = 0.0, noise: NDArray[np.float32] | None = None
) -> tuple[Tensor, Tensor]:
    """Mean squared error of the rollout and, over the valid source frames, one step ahead.

    Args:
        model: In whatever mode it is.
        windows: To read and to predict.
        read: Frames that the second mean is over.
        level: Of the noise.
        noise: Added to what is read, not to what is to be predicted.
    """
    device = model.mean.device
    lengths = torch.from_numpy(windows.lengths)
    source = model.normalise(torch.from_numpy(windows.source).to(device))
    target = model.normalise(torch.from_numpy(windows.target).to(device))
    heard = source if noise is None else source + level * torch.from_numpy(noise).to(device)
    one_step, rollout = model(heard, lengths, target.shape[1])
    valid = (torch.arange(1, source.shape[1])[None] < lengths[:, None]).to(device)
    square = (one_step[:, :-1] - source[:, 1:]).square().mean(dim=2)
    return (rollout - target).square().mean(), (square * valid).sum() / read.to(device)


def _zero_velocity(windows: Windows, model: Seq2Seq) -> float:
    """Rollout error of predicting that nothing moves any more."""
    scale = model.scale.cpu().numpy()
    last = windows.source[np.arange(len(windows)), windows.lengths - 1]
    return float(np.mean(((windows.target - last[:, None]) / scale) ** 2))
