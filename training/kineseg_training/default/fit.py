"""Train the predictor: windows in, checkpoints, metrics and a plot out."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

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
from kineseg_training.default.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from kineseg_training.default.history import Epoch, write_csv, write_plot
from kineseg_training.errors import CheckpointError, SettingsError
from kineseg_training.models import Seq2Seq, Seq2SeqSettings
from kineseg_training.models.seq2seq import Cell

LAST = "last.pt"
SETTINGS_FILE = "settings.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitSettings:
    """How to train. What is told in frames is in frames at the model's rate.

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


def fit(
    corpus: Corpus,
    settings: FitSettings,
    out: Path,
    *,
    device: str = "cpu",
    resume: bool = False,
    progress: bool = True,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Checkpoint:
    """Train on `corpus` and leave ``last.pt``, ``metrics.csv``, ``loss.png`` and ``settings.json`` in `out`.

    On one kind of machine, equal settings, data and number of threads give equal parameters, whether or not the run
    was interrupted and resumed.

    Args:
        corpus: What to learn from.
        settings: How.
        out: Run folder, made if need be.
        device: As torch names it: ``cpu``, ``cuda`` ...
        resume: Go on from the checkpoint in `out`.
        progress: Show a bar.
        on_epoch: Called after each epoch, when its checkpoint is written.

    Raises:
        DataError: Too few or too short takes.
        SettingsError: Settings that do not fit the data, or a device that is not there.
        CheckpointError: `out` holds a run and `resume` is off; or there is none to resume; or it had other settings,
            channels or data.
    """
    torch_device = _device(device)
    training, validation = split_by_take(corpus.clips, settings.validation_share, settings.seed)
    statistics = _model_rate_frames(training, corpus.channels, settings)
    held_out = [resample(clip.frames, clip.rate, settings.rate) for clip in validation]

    model = _new_model(len(corpus.channels), settings, statistics).to(torch_device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    epochs: tuple[Epoch, ...] = ()
    best_model = _copy(model)
    checkpoint: Checkpoint | None = None
    if resume:
        checkpoint = _resumable(out, corpus, settings)
        model.load_state_dict(dict(checkpoint.model))
        optimiser.load_state_dict(dict(checkpoint.optimiser))
        epochs, best_model = checkpoint.epochs, dict(checkpoint.best_model)
    elif (out / LAST).exists():
        raise CheckpointError(f"{out}: holds a run already; add --resume to go on with it, or name another folder")
    out.mkdir(parents=True, exist_ok=True)
    (out / SETTINGS_FILE).write_text(json.dumps(settings.recipe(), indent=2) + "\n")

    judge = cut_windows(
        held_out, settings.source, settings.target, settings.shortest_source, every=max(1, settings.target // 2)
    )
    baseline = _zero_velocity(judge, model)
    remaining = range(len(epochs) + 1, settings.epochs + 1)
    with tqdm(total=len(remaining) * settings.steps, disable=not progress, unit="batch", desc="fit") as bar:
        for number in remaining:
            if _exhausted(epochs, settings.patience):
                logger.info("no better validation loss for %d epochs: stopping", settings.patience)
                break
            rate = _learning_rate(number, settings)
            for group in optimiser.param_groups:
                group["lr"] = rate
            train_loss = _train_epoch(model, optimiser, training, corpus.channels, settings, number, bar)
            rollout, one_step = _validate(model, judge, settings)
            loss = rollout + settings.one_step_weight * one_step
            epoch = Epoch(number, rate, train_loss, loss, rollout, one_step)
            if all(loss < other.validation_loss for other in epochs):
                best_model = _copy(model)
            epochs = (*epochs, epoch)
            checkpoint = Checkpoint(
                recipe=settings.recipe(),
                channels=corpus.channels,
                fingerprint=corpus.fingerprint,
                source=corpus.source,
                rate=settings.rate,
                model_settings=model.settings,
                model=_copy(model),
                best_model=best_model,
                optimiser=optimiser.state_dict(),
                epochs=epochs,
                held_out=tuple(clip.name for clip in validation),
            )
            save_checkpoint(out / LAST, checkpoint)
            write_csv(out / "metrics.csv", epochs)
            write_plot(out / "loss.png", epochs, baseline)
            bar.set_postfix(epoch=number, train=f"{train_loss:.4f}", validation=f"{loss:.4f}")
            if on_epoch is not None:
                on_epoch(epoch)
    if checkpoint is None:
        raise CheckpointError(f"{out}: nothing was trained")
    return checkpoint


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(f"device: {name!r} cannot be used here ({error}); try 'cpu'") from error
    return device


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


def _resumable(out: Path, corpus: Corpus, settings: FitSettings) -> Checkpoint:
    checkpoint = load_checkpoint(out / LAST)
    recipe = settings.recipe()
    for name in sorted(recipe.keys() | checkpoint.recipe.keys()):
        if recipe.get(name) != checkpoint.recipe.get(name):
            raise CheckpointError(
                f"{out}: was trained with {name} = {checkpoint.recipe.get(name)}, not {recipe.get(name)}; resume with "
                "the same settings or start in another folder"
            )
    if checkpoint.channels != corpus.channels or checkpoint.fingerprint != corpus.fingerprint:
        raise CheckpointError(f"{out}: was trained on other data; resume with the same or start in another folder")
    return checkpoint


def _learning_rate(epoch: int, settings: FitSettings) -> float:
    done = (epoch - 1) / settings.epochs
    return settings.learning_rate * (0.05 + 0.95 * 0.5 * (1.0 + math.cos(math.pi * done)))


def _exhausted(epochs: tuple[Epoch, ...], patience: int) -> bool:
    if not epochs:
        return False
    best = min(epochs, key=lambda epoch: epoch.validation_loss)
    return epochs[-1].epoch - best.epoch >= patience


def _train_epoch(
    model: Seq2Seq,
    optimiser: torch.optim.Optimizer,
    clips: tuple[Clip, ...],
    channels: tuple[str, ...],
    settings: FitSettings,
    number: int,
    bar: tqdm[Any],
) -> float:
    # Each epoch draws from its own generator, so that a resumed run needs no generator's state.
    rng = np.random.default_rng((settings.seed, number))
    varied = [augment(clip, channels, settings.rate, settings.augmentation, rng) for clip in clips]
    windows = sample_windows(
        varied, settings.steps * settings.batch, settings.source, settings.target, settings.shortest_source, rng
    )
    model.train()
    total = 0.0
    for start in range(0, len(windows), settings.batch):
        rollout, one_step = _errors(
            model, windows.part(start, start + settings.batch), settings.augmentation.noise, rng
        )
        loss = rollout + settings.one_step_weight * one_step
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
        optimiser.step()
        total += loss.item()
        bar.update()
    return total / settings.steps


@torch.no_grad()
def _validate(model: Seq2Seq, windows: Windows, settings: FitSettings) -> tuple[float, float]:
    """(rollout, one-step) error."""
    model.eval()
    totals = np.zeros(2)
    for start in range(0, len(windows), 256):
        part = windows.part(start, start + 256)
        totals += [len(part) * error.item() for error in _errors(model, part, 0.0, None)]
    rollout, one_step = totals / len(windows)
    return float(rollout), float(one_step)


def _errors(model: Seq2Seq, windows: Windows, noise: float, rng: np.random.Generator | None) -> tuple[Tensor, Tensor]:
    """Mean squared error of the rollout and, over the valid source frames, one step ahead."""
    device = model.mean.device
    lengths = torch.from_numpy(windows.lengths)
    source = model.normalise(torch.from_numpy(windows.source).to(device))
    target = model.normalise(torch.from_numpy(windows.target).to(device))
    heard = source
    if noise > 0.0 and rng is not None:
        heard = source + noise * torch.from_numpy(rng.standard_normal(source.shape, dtype=np.float32)).to(device)
    one_step, rollout = model(heard, lengths, target.shape[1])
    valid = (torch.arange(1, source.shape[1])[None] < lengths[:, None]).to(device)
    square = (one_step[:, :-1] - source[:, 1:]).square().mean(dim=2)
    return (rollout - target).square().mean(), (square * valid).sum() / valid.sum().clamp(min=1)


def _zero_velocity(windows: Windows, model: Seq2Seq) -> float:
    """Rollout error of predicting that nothing moves any more."""
    scale = model.scale.cpu().numpy()
    last = windows.source[np.arange(len(windows)), windows.lengths - 1]
    return float(np.mean(((windows.target - last[:, None]) / scale) ** 2))


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
