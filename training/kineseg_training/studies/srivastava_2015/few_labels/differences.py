"""By how much a pretrained classifier is better than one started at random, tested seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from kineseg_training.studies.srivastava_2015.few_labels.results import RANDOM, Metric, Results, Trained
from kineseg_training.studies.srivastava_2015.few_labels.settings import FewLabelsSettings

CONFIDENCE = 0.95


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
