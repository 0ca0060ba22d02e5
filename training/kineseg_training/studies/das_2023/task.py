"""What the loop is told when it trains an ST-GCN to recognise actions, all of it or its last layers only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.data.augment import Augmentation
from kineseg_training.data.draw import Draw
from kineseg_training.data.labelled import LabelledClips, cut_labelled
from kineseg_training.errors import SettingsError
from kineseg_training.loop import Task, Update
from kineseg_training.models.stgcn import STGCN

FAMILY = "stgcn"
_VALIDATE_EVERY = 5  # frames between windows that are validated on


@dataclass(frozen=True)
class RecogniseSettings:
    """How to train.

    Attributes:
        iterations: Steps; the learning rate falls to zero over them along a cosine, after a short rise.
        batch: Windows in a batch.
        learning_rate: Its highest value.
        weight_decay: Of AdamW.
        label_smoothing: Share of the target spread over all actions.
        clip_norm: Largest norm of the gradient.
        augmentation: What is done to the windows.
    """

    iterations: int
    batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    label_smoothing: float = 0.1
    clip_norm: float = 5.0
    augmentation: Augmentation = field(default=Augmentation(tempo=(0.8, 1.25), phase=False, noise=0.02))

    def __post_init__(self) -> None:
        for name in ("iterations", "batch"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.label_smoothing < 1.0:
            raise SettingsError(f"label_smoothing must be at least 0 and below 1, got {self.label_smoothing}")


class Recognise(Task):
    """Cross-entropy over windows, an action as often as any other.

    Args:
        network: Trained in place; its normalisation is set by whoever made it.
        fit: Clips to train on, with the actions of the network.
        validation: Clips to stop by; some of the actions will do.
        settings: How.
        retrained: Number of last blocks to train together with the classifier, 0 for the classifier alone; the others
            are frozen, statistics of their batch norm included. None: all.
        origin: Fingerprint of what the network was trained on before, for the recipe.

    Raises:
        SettingsError: The clips have other actions or another rate, or there are not so many blocks.
        DataError: An action of which every clip is shorter than a window.
    """

    def __init__(
        self,
        network: STGCN,
        fit: LabelledClips,
        validation: LabelledClips,
        settings: RecogniseSettings,
        *,
        retrained: int | None = None,
        origin: str = "",
    ) -> None:
        model = network.settings
        for clips in (fit, validation):
            if clips.actions != model.classes:
                raise SettingsError(f"actions: the network knows {model.classes}, the clips show {clips.actions}")
            if clips.rate != model.rate:
                raise SettingsError(f"rate: the network takes {model.rate} Hz, the clips have {clips.rate}")
        blocks = len(network.blocks)
        if retrained is not None and not 0 <= retrained <= blocks:
            raise SettingsError(f"retrained must be between 0 and {blocks} blocks, got {retrained}")
        self.network: STGCN = network
        self._settings = settings
        self._frozen = 0 if retrained is None else blocks - retrained
        for parameter in self._frozen_parameters():
            parameter.requires_grad_(False)
        self._draw = Draw(fit, model.window, settings.augmentation)
        self._held_out = cut_labelled(validation, model.window, _VALIDATE_EVERY)
        self.optimisers = {
            "adam": torch.optim.AdamW(
                [parameter for parameter in network.parameters() if parameter.requires_grad],
                lr=settings.learning_rate,
                weight_decay=settings.weight_decay,
            )
        }
        self.recipe = {
            "family": FAMILY,
            **{f"model_{name}": value for name, value in asdict(model).items()},
            **asdict(settings),
            "retrained": -1 if retrained is None else retrained,
            "data": fit.fingerprint,
            "origin": origin,
        }

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """Train once."""
        for block in list(self.network.blocks)[: self._frozen]:
            block.eval()  # the loop has put all of the network in training mode
        frames, labels = self._draw(rng, self._settings.batch)
        scale = self.network.scale.cpu().numpy()
        frames += self._settings.augmentation.noise * scale * rng.standard_normal(frames.shape, dtype=np.float32)
        share = update.processes.share(len(labels))
        x = torch.from_numpy(frames[share]).to(update.device)
        y = torch.from_numpy(labels[share]).to(update.device)
        for group in self.optimisers["adam"].param_groups:
            group["lr"] = self._settings.learning_rate * self._pace(iteration)
        with update.precision():
            with torch.no_grad():
                before = self.network.continued(self.network.inputs(x), 0, self._frozen)
            logits = self.network.classify(self.network.continued(before, self._frozen))
            loss = nn.functional.cross_entropy(logits.float(), y, label_smoothing=self._settings.label_smoothing)
        update(loss, self.optimisers["adam"], self._settings.clip_norm)
        return {"train_loss": loss.item(), "train_accuracy": float((logits.argmax(1) == y).float().mean())}

    def validate(self) -> Mapping[str, float]:
        """Mean over the actions of cross-entropy and accuracy of held-out windows."""
        logits = window_logits(self.network, self._held_out.frames)
        labels = torch.from_numpy(self._held_out.labels)
        weights = 1.0 / torch.bincount(labels, minlength=len(self.network.settings.classes))[labels].float()
        weights /= weights.sum()
        losses = nn.functional.cross_entropy(logits, labels, reduction="none")
        right = (logits.argmax(1) == labels).float()
        return {
            "validation_loss": float((weights * losses).sum()),
            "validation_accuracy": float((weights * right).sum()),
        }

    def _frozen_parameters(self) -> list[nn.Parameter]:
        return [p for block in list(self.network.blocks)[: self._frozen] for p in block.parameters()]

    def _pace(self, iteration: int) -> float:
        """Share of the highest learning rate: up over the first twentieth, then down along a cosine."""
        done = iteration / self._settings.iterations
        rise = min(1.0, done / 0.05)
        return rise * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done - 1.0 / self._settings.iterations)))


@torch.no_grad()
def window_logits(network: STGCN, frames: NDArray[np.float32], at_once: int = 128) -> Tensor:
    """``(N, K)`` logits on the CPU of windows ``(N, W, 59)``, in the mode that the network is in."""
    device = network.mean.device
    parts = [
        network(torch.from_numpy(frames[i : i + at_once]).to(device)).cpu() for i in range(0, len(frames), at_once)
    ]
    return torch.cat(parts)
