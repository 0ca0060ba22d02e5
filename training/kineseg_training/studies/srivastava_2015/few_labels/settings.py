"""How large the experiment with few labels is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kineseg_training.errors import SettingsError
from kineseg_training.models.classifier import TrainingSettings
from kineseg_training.studies.exhibit import Preset
from kineseg_training.studies.srivastava_2015.task import CompositeTraining

WINDOW = 30  # frames: a second
ALL = 0  # in the place of a number of labelled windows

# Up to so many labelled windows of a class are few, from so many on they are many; for the verdict.
FEW, MANY = 4, 16


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
