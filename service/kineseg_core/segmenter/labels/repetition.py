"""How probable it is that a segment repeats an action: a logistic choice between the known actions and a new one.

Every known action has log odds against "none of them", linear in a few logarithms of distances that have no unit
(McFadden 1974, conditional logit). The weights are in `repetition.json`, which ``kineseg-train repetition`` makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kineseg_core.segmenter.labels.point import SegmentPoint

Array = NDArray[np.float64]
Kind = Literal["actions", "patterns"]

FILE = "repetition.json"
FEATURES = (
    "distance", "distance over errors", "distance over scatter", "largest distance over scatter",
    "mean distance over scatter", "difference of scatter", "length", "scatter", "drift", "distance of neighbours",
)  # fmt: skip
"""Logarithms of squared distances, variances and lengths, in the order of the columns of `features`."""

# What is added before a logarithm is taken: what lies below makes no difference. Shares of the squared unit.
_LEAST, _LEAST_SCATTER, _LEAST_LARGEST = 0.02, 0.1, 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The actions that are known.

    Attributes:
        means: ``(K, D)``.
        errors: ``(K,)`` squared standard errors of the means.
        variances: ``(K, D)`` of the blocks of their segments.
    """

    means: Array
    errors: Array
    variances: Array


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What `features` count for.

    Attributes:
        weights: ``(F,)``.
        bias: Of the log odds.
    """

    weights: Array
    bias: float

    @classmethod
    def of(cls, content: Mapping[str, float]) -> Weights:
        """From `FEATURES` and ``bias`` by name."""
        return cls(np.array([content[name] for name in FEATURES]), content["bias"])

    def log_odds(self, rows: Array) -> Array:
        """``(K,)`` of each known action against none of them, from its `features` (K, F)."""
        return np.asarray(np.add.reduce(rows * self.weights, axis=1) + self.bias)


def features(point: SegmentPoint, known: Known, unit: float, neighbours: float) -> Array:
    """``(K, F)`` what is compared of a segment and each known action, see `FEATURES`.

    Args:
        point: The segment.
        known: At least one action.
        unit: Variance of the stream's blocks.
        neighbours: Mean log squared distance between neighbours so far, in units, see `log_distance`.
    """
    count, dim = known.means.shape
    least, least_each = _LEAST * unit, _LEAST_SCATTER * unit / dim
    apart = np.square(known.means - point.mean)
    # `sum` and `mean` of arrays take twice as long where these are small.
    distance = np.add.reduce(apart, axis=1)
    variances = known.variances + point.variance + least_each
    scatter = float(np.add.reduce(point.variance))
    by_scatter = apart / variances
    ratios = np.log((known.variances + least_each) / (point.variance + least_each))
    rows = np.empty((count, len(FEATURES)))
    rows[:, 0] = np.log(distance / unit + _LEAST)
    rows[:, 1] = np.log((distance + least) / (known.errors + point.error + least))
    rows[:, 2] = np.log((distance + least) / (np.add.reduce(known.variances, axis=1) + scatter + least))
    rows[:, 3] = np.log(np.maximum.reduce(by_scatter, axis=1) + _LEAST_LARGEST)
    rows[:, 4] = np.log(np.add.reduce(by_scatter, axis=1) / dim + _LEAST)
    rows[:, 5] = np.log(np.add.reduce(np.square(0.5 * ratios), axis=1) / dim + _LEAST)
    rows[:, 6:] = (
        np.log(max(point.length, 1)), np.log(scatter / unit + _LEAST), np.log(point.drift / unit + _LEAST), neighbours,
    )  # fmt: skip
    return rows


def log_distance(one: Array, other: Array, unit: float) -> float:
    """Log squared distance of two means (D,), in units."""
    return float(np.log(np.add.reduce(np.square(one - other)) / unit + _LEAST))


def probabilities(log_odds: Array) -> Array:
    """``(K,)`` of each known action, from log odds against none of them; with that one they sum up to 1."""
    highest = max(float(log_odds.max(initial=0.0)), 0.0)
    odds = np.exp(log_odds - highest)
    return np.asarray(odds / (odds.sum() + np.exp(-highest)))


@cache
def weights_of(kind: Kind) -> Weights:
    """The weights for actions in motion and signals of many channels, or for patterns of few channels."""
    return Weights.of(json.loads(files("kineseg_core.segmenter.labels").joinpath(FILE).read_text())[kind])
