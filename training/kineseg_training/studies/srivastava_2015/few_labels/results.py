"""What the classifiers achieved, kept in a file, and by how much pretrained ones are better, seed by seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from kineseg_training.errors import CheckpointError
from kineseg_training.files import write_atomically
from kineseg_training.studies.srivastava_2015.few_labels.task import FewLabelsSettings

# What a classifier starts from is a source of pretraining, or one of these.
RANDOM, NEAREST = "random", "nearest neighbour"

Trained = Literal["all", "readout"]
Metric = Literal["balanced", "accuracy", "balanced_own_take", "accuracy_own_take"]
CONFIDENCE = 0.95


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
    """Compare; all three arguments are ``(N,)``, the last says which windows are of other takes than trained on."""
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


@dataclass(frozen=True)
class Interval:
    """A mean of paired differences.

    Attributes:
        mean: Of the seeds.
        error: Standard error of `mean`.
        low: Lower end of its 95 % interval (Student's t).
        high: Upper end.
    """

    mean: float
    error: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 if the interval does not hold zero, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def interval(values: NDArray[np.float64]) -> Interval:
    """Of the mean of ``(seeds,)`` values, two at least."""
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    reach = error * float(student.ppf(0.5 + CONFIDENCE / 2, len(values) - 1))
    return Interval(mean, error, mean - reach, mean + reach)


@dataclass(frozen=True)
class Pair:
    """One data set recognised after pretraining on one source: pretrained minus random.

    Attributes:
        recognised: Name of the data set.
        source: What the pretraining was on.
        by_labels: For each number of labels, in order.
        few: Mean over the numbers that are few.
        many: Mean over those that are many.
        shrinkage: `few` minus `many`, seed by seed: above zero where more labels need less pretraining.
    """

    recognised: str
    source: str
    by_labels: tuple[Interval, ...]
    few: Interval
    many: Interval
    shrinkage: Interval

    @property
    def own(self) -> bool:
        """Pretrained on the data set that is recognised."""
        return self.recognised == self.source


def compare(
    results: Results,
    settings: FewLabelsSettings,
    recognised: str,
    source: str,
    metric: Metric = "balanced",
    trained: Trained = "all",
) -> Pair:
    """Pretrained on `source` minus random, both trained in the same way."""

    def differences(labels: Sequence[int]) -> NDArray[np.float64]:
        """``(labels, seeds)``."""
        return np.array(
            [
                results.over_seeds(metric, recognised, source, n, settings.seeds, trained)
                - results.over_seeds(metric, recognised, RANDOM, n, settings.seeds, trained)
                for n in labels
            ]
        )

    few, many = differences(settings.few).mean(axis=0), differences(settings.many).mean(axis=0)
    return Pair(
        recognised,
        source,
        tuple(interval(row) for row in differences(settings.ordered)),
        interval(few),
        interval(many),
        interval(few - many),
    )
