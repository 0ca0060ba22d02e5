"""Training the tied predictor, alone or against its adversaries, as a task of the loop."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kineseg_training.data.windows import WindowSource
from kineseg_training.errors import SettingsError
from kineseg_training.loop import Task, Update
from kineseg_training.models.su_shlizerman import Adversaries, TiedSeq2Seq, TiedSettings, squared_error
from kineseg_training.studies.exhibit import Preset

# Validated are at most so many windows, spread evenly.
_VALIDATED = 256
# A channel that changes less is constant; it keeps its place but gives the model nothing.
CONSTANT = 1e-4
PREDICTOR, ADVERSARIES = "predictor", "adversaries"


@dataclass(frozen=True)
class BaselineSettings:
    """Shape and training of a tied predictor.

    Attributes:
        source: S, frames read.
        target: N, frames predicted.
        hidden: H, units of the GRU, and of each adversary's.
        iterations: Steps of the optimiser.
        batch: Windows in a step.
        learning_rate: Of Adam.
        clip_norm: Largest norm of the gradient.
        adversarial: Train against the two adversaries too.
        adversary_rate: Their learning rate, in learning rates of the predictor. At equal rates they win: the predictor
            comes to be worse than before training.
        residual: Predict changes instead of frames.
        reread: Whether the encoder reads the frame that the decoder begins with.
        validate_every: Steps between validations.
    """

    source: int = 25
    target: int = 25
    hidden: int = 1024
    iterations: int = 10_000
    batch: int = 16
    learning_rate: float = 1e-4
    clip_norm: float = 1.0
    adversarial: bool = False
    adversary_rate: float = 0.1
    residual: bool = False
    reread: bool = True
    validate_every: int = 500

    def __post_init__(self) -> None:
        for name, least in (("source", 2), ("target", 1), ("hidden", 1), ("iterations", 1), ("batch", 1)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm", "adversary_rate"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} must be positive, got {getattr(self, name)}")

    @property
    def window(self) -> int:
        """Frames in a window, S + N."""
        return self.source + self.target

    def training(self) -> Mapping[str, float]:
        """What the outcome of so and so many iterations depends on, beside the shape, by name."""
        names = ("batch", "learning_rate", "clip_norm", "adversarial")
        return {name: getattr(self, name) for name in names + ("adversary_rate",) * self.adversarial}


# Adam's rate is 1e-4 for concatenated clips in the paper and 1e-3 elsewhere. The small network is trained at 1e-3: it
# has a tenth of the iterations to get anywhere.
PRESETS: Mapping[Preset, BaselineSettings] = {
    "full": BaselineSettings(),
    "small": BaselineSettings(hidden=128, iterations=600, learning_rate=1e-3, validate_every=200),
    "tiny": BaselineSettings(
        source=12, target=12, hidden=16, iterations=30, batch=8, learning_rate=3e-3, validate_every=15
    ),
}


class TiedTask(Task):
    """Predict the second part of a window from its first.

    The network is an ``nn.ModuleDict`` with the `TiedSeq2Seq` as ``predictor`` and, where they are wanted, the
    `Adversaries`. ``validation_loss`` is the mean squared error of normalised channels over all predicted frames, with
    adversaries too.
    """

    network: nn.ModuleDict

    def __init__(
        self,
        clips: Sequence[NDArray[np.floating]],
        settings: BaselineSettings,
        *,
        validation: Sequence[NDArray[np.floating]] = (),
        seed: int = 0,
        about: Mapping[str, object] | None = None,
    ) -> None:
        """Make a new network, normalised by the clips.

        Args:
            clips: ``(T_i, C)`` channels.
            settings: Shape and training.
            validation: Clips held out; without any, windows of `clips` are validated.
            seed: Of the first parameters.
            about: Plain values to keep in the recipe.

        Raises:
            DataError: All clips are shorter than a window.
        """
        torch.manual_seed(seed)
        mean, scale = normalisation(clips)
        channels = len(mean)
        shape = TiedSettings(
            channels, settings.hidden, settings.residual, settings.reread, settings.source, settings.target
        )
        self.predictor = TiedSeq2Seq(shape)
        self.predictor.set_normalisation(mean, scale)
        self.adversaries = Adversaries(channels, settings.hidden) if settings.adversarial else None
        parts: dict[str, nn.Module] = {PREDICTOR: self.predictor}
        if self.adversaries is not None:
            parts[ADVERSARIES] = self.adversaries
        self.network = nn.ModuleDict(parts)
        rates = {PREDICTOR: settings.learning_rate, ADVERSARIES: settings.adversary_rate * settings.learning_rate}
        self.optimisers = {name: torch.optim.Adam(part.parameters(), rates[name]) for name, part in parts.items()}
        self.recipe = {
            "model": asdict(shape),
            **settings.training(),
            "seed": seed,
            "data": fingerprint(clips),
            "validation_data": fingerprint(validation),
            **(about or {}),
        }
        self._settings = settings
        self._windows = _source(clips, mean, scale, settings.window)
        held_out = _source(validation, mean, scale, settings.window) if validation else self._windows
        self._validation = held_out.at(held_out.spread(_VALIDATED))

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """One step of the adversaries, if there are any, and one of the predictor."""
        batch = self._windows.draw(rng, self._settings.batch)
        source, target = self._split(batch[update.processes.share(len(batch))].to(update.device))
        clip_norm = self._settings.clip_norm
        with update.precision():
            predicted, _ = self.predictor(source, self._settings.target)
        if self.adversaries is None:
            loss = squared_error(predicted, target)
            update(loss, self.optimisers[PREDICTOR], clip_norm)
            return {"train_loss": loss.item()}
        with update.precision():
            adversary_loss = self.adversaries.loss(source, predicted, target)
        update(adversary_loss, self.optimisers[ADVERSARIES], clip_norm)
        with update.precision():
            loss = self.adversaries.predictor_loss(source, predicted, target)
        update(loss, self.optimisers[PREDICTOR], clip_norm)
        return {
            "train_loss": squared_error(predicted, target).item(),
            "predictor_loss": loss.item(),
            "adversary_loss": adversary_loss.item(),
        }

    def validate(self) -> Mapping[str, float]:
        """Mean squared error on the windows to validate, and that of saying that the last frame read stays."""
        source, target = self._split(self._validation.to(self.predictor.mean.device))
        predicted, _ = self.predictor(source, self._settings.target)
        return {
            "validation_loss": squared_error(predicted, target).item(),
            "standing_still_loss": squared_error(source[:, -1:], target).item(),
        }

    def _split(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        return windows[:, : self._settings.source], windows[:, self._settings.source :]


def normalisation(clips: Sequence[NDArray[np.floating]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel over all frames, both ``(C,)``; 1 where it is below `CONSTANT`."""
    frames = np.concatenate([np.asarray(clip, dtype=np.float64) for clip in clips])
    deviation = frames.std(axis=0)
    return frames.mean(axis=0), np.where(deviation < CONSTANT, 1.0, deviation)


def fingerprint(clips: Sequence[NDArray[np.floating]]) -> str:
    """SHA-256 over the clips."""
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(f"{clip.shape}".encode() + np.ascontiguousarray(clip, dtype=np.float64).tobytes())
    return digest.hexdigest()


def _source(
    clips: Sequence[NDArray[np.floating]], mean: NDArray[np.float64], scale: NDArray[np.float64], length: int
) -> WindowSource:
    return WindowSource([(clip - mean) / scale for clip in clips], length)
