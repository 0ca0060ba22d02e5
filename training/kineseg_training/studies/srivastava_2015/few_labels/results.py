"""What one classifier achieved, and the file that keeps it, so that an interrupted experiment goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_training.errors import CheckpointError
from kineseg_training.files import write_atomically

# What a classifier starts from is a source of pretraining, or one of these.
RANDOM, NEAREST = "random", "nearest neighbour"

Trained = Literal["all", "readout"]
Metric = Literal["balanced", "accuracy", "balanced_own_take", "accuracy_own_take"]


class Key(NamedTuple):
    """Which classifier.

    Attributes:
        recognised: Name of the data set.
        start: What it started from.
        trained: All of it, or the readout only.
        labels: Labelled windows of every class; 0: all.
        seed: Index of the seed.
    """

    recognised: str
    start: str
    trained: Trained
    labels: int
    seed: int


@dataclass(frozen=True)
class Scores:
    """How many test windows it named rightly, as shares.

    Attributes:
        accuracy: Of all.
        balanced: Mean over the classes of the share of each.
        accuracy_own_take: As `accuracy`, without the classes that are tested on the take that they were trained on.
        balanced_own_take: As `balanced`, without them.
    """

    accuracy: float
    balanced: float
    accuracy_own_take: float
    balanced_own_take: float


def score(truth: NDArray[np.int64], named: NDArray[np.int64], own_take: NDArray[np.bool_]) -> Scores:
    """Compare; all three arguments are ``(N,)``, the last tells which windows are of other takes than trained on."""
    return Scores(*_shares(truth, named), *_shares(truth[own_take], named[own_take]))


def _shares(truth: NDArray[np.int64], named: NDArray[np.int64]) -> tuple[float, float]:
    right = truth == named
    return float(right.mean()), float(np.mean([right[truth == label].mean() for label in np.unique(truth)]))


class Results:
    """Scores by key, each written to `path` as it comes: JSON lines, of which the first is the recipe.

    Args:
        path: Read if it is there.
        recipe: Plain values that the scores depend on.

    Raises:
        CheckpointError: The file was made by another recipe, or cannot be read.
    """

    def __init__(self, path: Path, recipe: Mapping[str, object]) -> None:
        self._path = path
        self._scores: dict[Key, Scores] = {}
        head = json.dumps({"recipe": recipe}, sort_keys=True)
        lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
        if lines and not lines[-1].endswith("\n"):
            lines.pop()  # interrupted while it was written
        if not lines:
            lines = [head + "\n"]
        elif lines[0].strip() != head:
            raise CheckpointError(
                f"{path}: results of other settings or data; use the same, or another folder for these"
            )
        for number, line in enumerate(lines[1:], start=2):
            try:
                raw = json.loads(line)
                self._scores[Key(**raw["key"])] = Scores(**raw["scores"])
            except (ValueError, KeyError, TypeError) as error:
                raise CheckpointError(f"{path}, line {number}: not a result ({error}); remove the file") from error
        write_atomically(path, "".join(lines).encode())

    def __contains__(self, key: Key) -> bool:
        return key in self._scores

    def add(self, key: Key, scores: Scores) -> None:
        """Remember and write."""
        self._scores[key] = scores
        with self._path.open("a") as file:
            file.write(json.dumps({"key": key._asdict(), "scores": asdict(scores)}) + "\n")

    def over_seeds(
        self, metric: Metric, recognised: str, start: str, labels: int, seeds: int, trained: Trained = "all"
    ) -> NDArray[np.float64]:
        """``(seeds,)``: one of the scores of every seed."""
        keys = [Key(recognised, start, trained, labels, seed) for seed in range(seeds)]
        return np.array([getattr(self._scores[key], metric) for key in keys])
