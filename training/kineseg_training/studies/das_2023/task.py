"""What the loop trains when an ST-GCN learns to recognise actions, all of it or its last layers only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.data.augment import Augmentation, mirrored
from kineseg_training.data.labelled import LabelledClips, cut_labelled
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.loop import Task, Update
from kineseg_training.models.stgcn import STGCN

_SIDES = (("left", "right"), ("right", "left"))
FAMILY = "stgcn"
_VALIDATE_EVERY = 5  # frames between windows that are validated on


class Draw:
    """Windows of clips, an action as often as any other however many clips there are of it.

    Args:
        clips: Canonical poses.
        length: Frames of a window.
        how: What may be done to them; `phase` means nothing here, since any frame may be the first.

    Raises:
        DataError: An action of which every clip is shorter than a window.
    """

    def __init__(self, clips: LabelledClips, length: int, how: Augmentation) -> None:
        self._clips, self._length, self._how = clips, length, how
        self._mirror_label = mirrored_labels(clips.actions)
        self._speeds = np.array([channel.startswith("root.") for channel in clips.channels])
        labels = clips.labels()
        self._members: list[NDArray[np.int64]] = []
        self._shares: list[NDArray[np.float64]] = []
        for label, action in enumerate(clips.actions):
            members = np.flatnonzero(labels == label)
            starts = np.array([max(0, len(clips.clips[i].frames) - length + 1) for i in members], dtype=np.float64)
            if not starts.sum():
                longest = max((len(clips.clips[i].frames) for i in members), default=0)
                raise DataError(
                    f"{action}: every clip is shorter than a window of {length} frames (the longest has {longest}); "
                    "use shorter windows or leave the action out"
                )
            self._members.append(members)
            self._shares.append(starts / starts.sum())

    def __call__(self, rng: np.random.Generator, batch: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """``(batch, L, C)`` windows and their labels ``(batch,)``; counts of the actions differ by one at most."""
        first = int(rng.integers(len(self._members)))
        wanted = (first + np.arange(batch)) % len(self._members)
        rows = [self._one(int(label), rng) for label in wanted]
        return np.stack([frames for frames, _ in rows]).astype(np.float32), np.array([label for _, label in rows])

    def _one(self, label: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], int]:
        clip = self._clips.clips[int(rng.choice(self._members[label], p=self._shares[label]))]
        span = self._length - 1
        # Uniform in the logarithm, but never so fast that the clip is shorter than the window.
        slowest, fastest = self._how.tempo
        fastest = min(fastest, (len(clip.frames) - 1) / span)
        tempo = float(np.exp(rng.uniform(np.log(min(slowest, fastest)), np.log(fastest))))
        start = rng.uniform(0.0, len(clip.frames) - 1 - span * tempo)
        frames = self._between(clip.frames, start + tempo * np.arange(self._length, dtype=np.float64), tempo)
        turned = int(self._mirror_label[label])
        if rng.random() < 0.5 and self._how.mirror and turned >= 0:
            frames, label = mirrored(frames, self._clips.channels), turned
        return frames, label

    def _between(self, frames: NDArray[np.float64], at: NDArray[np.float64], tempo: float) -> NDArray[np.float64]:
        """Frames at fractions of frame periods; speeds grow with the tempo."""
        below = np.clip(np.floor(at).astype(np.int64), 0, len(frames) - 1)
        above = np.minimum(below + 1, len(frames) - 1)
        part = (at - below)[:, None]
        return (frames[below] * (1.0 - part) + frames[above] * part) * np.where(self._speeds, tempo, 1.0)


def mirrored_labels(actions: Sequence[str]) -> NDArray[np.int64]:
    """Label of each action seen in a mirror.

    Most look the same; "walk-left" is "walk-right" then, and -1, not to be mirrored, where there is no "walk-right".
    """
    place = {action: label for label, action in enumerate(actions)}
    found = np.arange(len(actions))
    for label, action in enumerate(actions):
        for side, other in _SIDES:
            if side in action.lower():
                found[label] = place.get(action.lower().replace(side, other), -1)
                break
    return found


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
