"""Sizes of a model watched through training: how they are, and the figures that were seen of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from kineseg_training.errors import SettingsError
from kineseg_training.loop import Course
from kineseg_training.studies.exhibit import Preset

# Names of figures.
LOSS, TEST_LOSS = "validation_loss", "test_loss"
SILHOUETTE, TRAIN_SILHOUETTE = "test_silhouette", "train_silhouette"
DIMENSION, K_MEANS = "effective_dimension", "kmeans_silhouette"
RECOGNISED = "test_recognised"


@dataclass(frozen=True)
class Sweep:
    """How the sizes are trained and watched.

    Attributes:
        hidden: Units of each model.
        iterations: Of each training; nothing stops it early.
        validate_every: Steps between two looks at the states.
        each: Windows of every action that are looked at, in training and in test clips.
        patience: Looks without anything better after which a training would have been stopped.
    """

    hidden: tuple[int, ...]
    iterations: int
    validate_every: int
    each: int
    patience: int

    def __post_init__(self) -> None:
        if len(self.hidden) < 1 or len(set(self.hidden)) < len(self.hidden) or min(self.hidden) < 2:
            raise SettingsError(f"hidden: name different numbers of units, 2 at least, got {self.hidden}")


SWEEPS: Mapping[Preset, Sweep] = {
    "tiny": Sweep((4, 8, 12), 20, 5, 4, 2),
    "small": Sweep((32, 128, 256), 1000, 50, 10, 4),
    "full": Sweep((64, 256, 1024), 10_000, 250, 40, 6),
}


@dataclass(frozen=True, eq=False)
class Watch:
    """A size watched through training.

    Attributes:
        hidden: Units.
        course: A row a look.
        stages: ``(iteration, states)`` of the decoder in test windows, ``(N, T, H)`` float16, at every look.
    """

    hidden: int
    course: Course
    stages: tuple[tuple[int, NDArray[np.float16]], ...]

    def values(self, name: str) -> NDArray[np.float64]:
        """``(R,)``: a figure through training."""
        return np.array([row.figures[name] for row in self.course])

    @property
    def iterations(self) -> NDArray[np.int64]:
        """``(R,)``."""
        return np.array([row.iteration for row in self.course])

    def best(self, judge: str) -> int:
        """The row that is the best by a figure (lower is better)."""
        return int(np.argmin(self.values(judge)))

    def stop(self, judge: str, patience: int) -> tuple[int, int]:
        """(row kept, last row trained) if `loop.train` had gone by the figure with so much patience."""
        values = self.values(judge)
        for last in range(len(values)):
            kept = int(np.argmin(values[: last + 1]))
            if last - kept >= patience:
                return kept, last
        return int(np.argmin(values)), len(values) - 1


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's; 0 where one does not vary."""
    if np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return 0.0
    return float(spearmanr(a, b)[0])
