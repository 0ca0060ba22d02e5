"""How large the experiment with few labels is, and how its classifiers are trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.loop import CourseRow, LoopSettings, Task, Update, train
from kineseg_training.models.classifier import LSTMClassifier
from kineseg_training.studies.exhibit import Preset
from kineseg_training.studies.srivastava_2015.task import CompositeTraining

WINDOW = 30  # frames: a second
ALL = 0  # in the place of a number of labelled windows

# Up to so many labelled windows of a class are few, from so many on they are many; for the verdict.
FEW, MANY = 4, 16


@dataclass(frozen=True)
class TrainingSettings:
    """How a classifier is trained; the same from whatever it starts.

    Attributes:
        iterations: Steps of Adam.
        learning_rate: Of Adam.
        batch: Windows in a step, if there are so many; every class as often, whatever its share of the windows.
        clip_norm: Largest norm of the gradient.
        readout_only: Leave the LSTM as it is and train the readout alone.
    """

    iterations: int = 100
    learning_rate: float = 3e-3
    batch: int = 32
    clip_norm: float = 1.0
    readout_only: bool = False

    def __post_init__(self) -> None:
        for name in ("iterations", "batch"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "clip_norm"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} must be above zero, got {getattr(self, name)}")


@dataclass(frozen=True)
class FewLabelsSettings:
    """What is compared, and how often.

    Attributes:
        labels: Labelled windows of every class; `ALL`: all that there are.
        seeds: How often each classifier is trained, with other labelled windows and other initial weights.
        window: Frames of a window.
        hidden: Units of the LSTM.
        pretraining: Of the encoders; it reads as many frames as a window has.
        training: Of whole classifiers.
        readout_training: Of the readout alone, which needs larger steps.
        generated_minutes: Minutes of generated motion to pretrain on.
    """

    labels: tuple[int, ...] = (1, 2, 4, 8, 16, ALL)
    seeds: int = 6
    window: int = WINDOW
    hidden: int = 128
    pretraining: CompositeTraining = field(default_factory=lambda: _pretraining(WINDOW, 1000))
    training: TrainingSettings = field(default_factory=lambda: TrainingSettings(iterations=100, learning_rate=1e-3))
    readout_training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(iterations=200, learning_rate=3e-2, readout_only=True)
    )
    generated_minutes: int = 6

    def __post_init__(self) -> None:
        if self.seeds < 2:
            raise SettingsError(f"seeds: {self.seeds}; a spread needs at least two")
        if len(set(self.labels)) < len(self.labels) or min(self.labels, default=-1) < 0:
            raise SettingsError(f"labels: {self.labels}; name numbers of windows of a class once each, {ALL} for all")
        if not self.few or not self.many:
            raise SettingsError(
                f"labels: {self.labels}; to compare few with many there have to be numbers up to {FEW} and from {MANY} "
                f"on, or {ALL} for all"
            )

    @property
    def ordered(self) -> tuple[int, ...]:
        """`labels`, fewest first."""
        return tuple(sorted(self.labels, key=lambda n: (n == ALL, n)))

    @property
    def few(self) -> tuple[int, ...]:
        """Those of `labels` that are few."""
        return tuple(n for n in self.ordered if _few(n))

    @property
    def many(self) -> tuple[int, ...]:
        """Those of `labels` that are many."""
        return tuple(n for n in self.ordered if n == ALL or n >= MANY)


def _few(labels: int) -> bool:
    return labels != ALL and labels <= FEW


def _pretraining(window: int, iterations: int, batch: int = 32) -> CompositeTraining:
    # Ten frames of future: with a window of a second the shortest takes are still long enough.
    return CompositeTraining(source=window, target=10, iterations=iterations, batch=batch)


PRESETS: Mapping[Preset, FewLabelsSettings] = {
    "tiny": FewLabelsSettings(
        labels=(1, ALL),
        seeds=2,
        hidden=8,
        pretraining=_pretraining(WINDOW, 3, 8),
        training=TrainingSettings(iterations=3, learning_rate=3e-3),
        readout_training=TrainingSettings(iterations=3, learning_rate=3e-2, readout_only=True),
        generated_minutes=1,
    ),
    "small": FewLabelsSettings(),
    "full": FewLabelsSettings(seeds=20, hidden=512, pretraining=_pretraining(WINDOW, 10_000, 64), generated_minutes=60),
}


class ClassifierTask(Task):
    """Train a classifier on labelled windows, each step of a window towards the window's class.

    Args:
        classifier: Its LSTM and its readout are trained, or its readout alone.
        frames: ``(N, T, C)`` channels.
        labels: ``(N,)``.
        settings: How.
        seed: Of the order of the windows, which depends on nothing else but the labels.

    Raises:
        DataError: The windows are all of one class.
    """

    def __init__(
        self,
        classifier: LSTMClassifier,
        frames: NDArray[np.float32],
        labels: NDArray[np.int64],
        settings: TrainingSettings,
        seed: int,
    ) -> None:
        classes = np.unique(labels)
        if len(classes) < 2:
            raise DataError(
                f"labels: all {len(labels)} labelled windows are of one class; there is nothing to distinguish, label "
                "windows of another one too"
            )
        rng = np.random.default_rng(seed)
        rows = [np.flatnonzero(labels == label) for label in classes]
        each = max(1, settings.batch // len(classes))
        self._order = [
            np.concatenate([rng.permutation(of_class)[:each] for of_class in rows]) for _ in range(settings.iterations)
        ]
        device = classifier.mean.device
        self._inputs, self._targets = torch.from_numpy(frames).to(device), torch.from_numpy(labels).to(device)
        self.network: nn.Module = classifier
        if settings.readout_only:
            with torch.no_grad():
                self._inputs = classifier.states(self._inputs)
            self.network = classifier.readout
        self._adam = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate)
        self.optimisers = {"adam": self._adam}
        self.recipe = {"family": "classifier", **asdict(classifier.settings), **asdict(settings), "order": seed}
        self._clip_norm = settings.clip_norm

    def step(self, iteration: int, rng: np.random.Generator, update: Update) -> Mapping[str, float]:
        """One batch, as many windows of every class."""
        chosen = self._order[iteration - 1]
        batch = torch.from_numpy(chosen[update.processes.share(len(chosen))]).to(update.device)
        with update.precision():
            # Cross entropy wants the classes second: (b, K, T) against (b, T).
            logits = self.network(self._inputs[batch]).transpose(1, 2)
            loss = F.cross_entropy(logits, self._targets[batch, None].expand(-1, logits.shape[2]))
        update(loss, self._adam, self._clip_norm)
        return {"train_loss": loss.item()}


def train_classifier(
    classifier: LSTMClassifier,
    frames: NDArray[np.float32],
    labels: NDArray[np.int64],
    settings: TrainingSettings,
    seed: int,
    *,
    look_at: tuple[int, ...] = (),
    look: Callable[[int], None] | None = None,
) -> None:
    """Train it where it is; nothing is held out, so what the last step leaves is kept.

    Args:
        classifier: See `ClassifierTask`, as the next four.
        frames: ``(N, T, C)``.
        labels: ``(N,)``.
        settings: How.
        seed: Of the order.
        look_at: Steps after which `look` is called with the number of the step.
        look: What to do then.

    Raises:
        DataError: The windows are all of one class.
    """

    def looked(row: CourseRow) -> None:
        if look is not None and row.iteration in look_at:
            look(row.iteration)

    loop = LoopSettings(
        settings.iterations,
        math.gcd(settings.iterations, *look_at),
        device=str(classifier.mean.device),
        seed=seed,
        monitor=None,
    )
    train(ClassifierTask(classifier, frames, labels, settings, seed), loop, None, progress=False, on_validation=looked)
