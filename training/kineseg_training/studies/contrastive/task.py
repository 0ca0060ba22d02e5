"""Training an encoder on drawn streams, as a task of the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from kineseg_training.errors import SettingsError
from kineseg_training.loop import LoopSettings, Task, Update, train
from kineseg_training.studies.contrastive.encoder import (
    Encoder,
    EncoderSettings,
    contrastive_loss,
    prediction_loss,
    scatter_loss,
)
from kineseg_training.studies.contrastive.streams import Joined, JoinSettings, Pool, draw_stream

_EVERY_S = 0.2  # frames so far apart are compared by the contrastive loss
_APART_S = 0.4
_AFTER_JOIN_S = 0.3  # the cell may take this long to notice a change
_WARM_UP_S = 0.5


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Attributes:
        steps: Batches; with 0 the encoder stays as it was drawn.
        batch: Streams in a batch.
        hidden: Units of the cell.
        prediction: Weight of the prediction loss.
        contrast: Weight of the contrastive loss.
        even_scatter: Weight of the unequal scatter of actions.
        temperature: Of the contrastive loss.
        learning_rate: At first; falls along a half cosine to a twentieth.
        weight_decay: Of AdamW.
        clip_norm: Largest norm of the gradient.
        join: How the streams are made.
        seed: Of everything random.
    """

    steps: int = 300
    batch: int = 16
    hidden: int = 128
    prediction: float = 1.0
    contrast: float = 0.0
    even_scatter: float = 0.0
    temperature: float = 0.2
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    join: JoinSettings = field(default_factory=JoinSettings)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 0 or self.batch < 1:
            raise SettingsError(f"steps must be 0 or more and batch 1 or more, got {self.steps} and {self.batch}")
        if not self.temperature > 0.0:
            raise SettingsError(f"temperature must be positive, got {self.temperature}")
        if min(self.prediction, self.contrast, self.even_scatter) < 0.0:
            raise SettingsError("the weights of the losses must not be negative")


class EncoderTask(Task):
    """Minimise the losses whose weights are above zero.

    Of several processes each compares the actions within its share of the streams.

    Args:
        pool: Clips that the streams are drawn from.
        settings: How.
    """

    network: Encoder

    def __init__(self, pool: Pool, settings: TrainingSettings) -> None:
        torch.manual_seed(settings.seed)
        self.network = Encoder(EncoderSettings(len(pool.channels), settings.hidden))
        self.network.predictor.set_normalisation(pool.mean, pool.scale)
        self._adamw = torch.optim.AdamW(
            _asked_for(self.network, settings), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.optimisers = {"adamw": self._adamw}
        self.recipe = {"family": "encoder", **asdict(settings), "channels": list(pool.channels)}
        self._pool, self._settings = pool, settings

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """One batch of streams."""
        settings = self._settings
        streams = [draw_stream(self._pool, settings.join, rng) for _ in range(settings.batch)]
        share = streams[update.processes.share(settings.batch)]
        for group in self._adamw.param_groups:
            group["lr"] = settings.learning_rate * _pace((iteration - 1) / settings.steps)
        with update.precision():
            loss = _loss(self.network, share, settings, update.device)
        update(loss, self._adamw, settings.clip_norm)
        return {"train_loss": loss.item()}


def train_encoder(pool: Pool, settings: TrainingSettings, *, progress: bool = False) -> Encoder:
    """Train on streams drawn from `pool`; equal settings and pool give equal parameters on one kind of machine."""
    task = EncoderTask(pool, settings)
    if settings.steps:
        # There is nothing held out to validate on: the parameters after the last step are the encoder's.
        loop = LoopSettings(settings.steps, settings.steps, seed=settings.seed, monitor=None)
        train(task, loop, None, progress=progress)
    return task.network.eval()


def _asked_for(encoder: Encoder, settings: TrainingSettings) -> list[nn.Parameter]:
    """The parameters that any of the losses depends on."""
    parts: list[nn.Module] = [encoder.predictor]
    if settings.prediction:
        parts.append(encoder.ahead)
    if settings.contrast or settings.even_scatter:
        parts.append(encoder.projection)
    return [parameter for part in parts for parameter in part.parameters()]


def _pace(done: float) -> float:
    """Share of the highest learning rate: falls along a half cosine to a twentieth."""
    return 0.05 + 0.475 * (1.0 + float(np.cos(np.pi * done)))


def _loss(encoder: Encoder, streams: Sequence[Joined], settings: TrainingSettings, device: torch.device) -> Tensor:
    frames = torch.from_numpy(np.stack([each.frames for each in streams])).float().to(device)
    frames = encoder.predictor.normalise(frames)
    action = torch.from_numpy(np.stack([each.action for each in streams])).to(device)
    kind = torch.from_numpy(np.stack([each.kind for each in streams])).to(device)
    _, ahead, points = encoder(frames)
    rate = settings.join.rate
    loss = frames.new_zeros(())
    if settings.prediction:
        horizons = encoder.settings.horizons
        loss = settings.prediction * prediction_loss(ahead, frames, action, horizons, round(_WARM_UP_S * rate))
    if settings.contrast or settings.even_scatter:
        rows, times = _compared(action, rate)
        number = (
            action + 1000 * torch.arange(len(action), device=device)[:, None]
        )  # actions of different streams differ
        chosen, own = points[rows, times], number[rows, times]
        unequal, size = scatter_loss(chosen, own)
        contrast = contrastive_loss(
            chosen, own, kind[rows, times], times, temperature=settings.temperature, apart=round(_APART_S * rate)
        )
        loss = loss + settings.contrast * (contrast + size) + settings.even_scatter * unequal
    return loss


def _compared(action: Tensor, rate: float) -> tuple[Tensor, Tensor]:
    """(stream, frame) of the frames that are compared: evenly spread, none at the start or just after a join."""
    after, length = round(_AFTER_JOIN_S * rate), action.shape[1]
    settled = torch.ones_like(action, dtype=torch.bool)
    for back in range(1, after + 1):
        settled[:, back:] &= action[:, back:] == action[:, :-back]
    settled[:, : round(_WARM_UP_S * rate)] = False
    every = max(1, round(_EVERY_S * rate))
    spread = torch.arange(length, device=action.device) % every == 0
    rows, times = torch.nonzero(settled & spread, as_tuple=True)
    return rows, times
