"""Fits the weights of the choice by maximum likelihood (McFadden 1974), with a ridge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from kineseg_core.segmenter.labels.repetition import FEATURES
from numpy.typing import NDArray
from scipy.optimize import minimize

from kineseg_training.default.repetition.choices import Choice
from kineseg_training.errors import DataError

Array = NDArray[np.float64]

_RIDGE = 10.0  # over the number of choices
_FEWEST = 50
_DECIMALS = 4  # that are kept, so that equal data give an equal file on any machine


def fit(choices: Sequence[Choice]) -> dict[str, float]:
    """`FEATURES` and ``bias`` by name, see `kineseg_core.segmenter.labels.repetition.Weights`.

    Raises:
        DataError: There are too few choices, or all are of one kind.
    """
    repeats = sum(choice.right is not None for choice in choices)
    if len(choices) < _FEWEST or repeats in (0, len(choices)):
        raise DataError(
            f"{repeats} of {len(choices)} segments repeat an action; {_FEWEST} or more are needed, some that do and "
            "some that do not: make more streams"
        )
    counts = np.array([len(choice.rows) for choice in choices])
    rows = np.concatenate([choice.rows for choice in choices])
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    rows = np.column_stack([(rows - middle) / spread, np.ones(len(rows))])
    first = np.concatenate([[0], counts.cumsum()[:-1]])
    right = np.array(
        [start + choice.right for start, choice in zip(first, choices, strict=True) if choice.right is not None]
    )

    ridge = _RIDGE / len(choices)

    def loss(weights: Array) -> tuple[float, Array]:
        log_odds = rows @ weights
        highest = np.maximum(np.maximum.reduceat(log_odds, first), 0.0)
        odds = np.exp(log_odds - np.repeat(highest, counts))
        total = np.add.reduceat(odds, first) + np.exp(-highest)
        gradient = odds / np.repeat(total, counts)
        gradient[right] -= 1.0
        likelihood = log_odds[right].sum() - (highest + np.log(total)).sum()
        slopes = np.append(weights[:-1], 0.0)
        value = -likelihood / len(choices) + ridge * float(slopes @ slopes)
        return value, rows.T @ gradient / len(choices) + 2.0 * ridge * slopes

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x
    weights = found[:-1] / spread
    named = dict(zip(FEATURES, weights, strict=True))
    named["bias"] = found[-1] - float(middle @ weights)
    return {name: round(float(value), _DECIMALS) for name, value in named.items()}
