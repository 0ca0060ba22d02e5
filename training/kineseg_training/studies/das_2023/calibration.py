"""How far a recogniser's probabilities can be believed, and below which one an action is better called unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

Array = NDArray[np.float64]

# Of windows of known actions, the share that a threshold is to keep.
KEPT = 0.95
_LOWEST, _HIGHEST = -3.0, 3.0  # of the temperature's logarithm


@dataclass(frozen=True, eq=False)
class Reliability:
    """Probability of the chosen action against how often it was right, in bins of equal width.

    Attributes:
        probability: ``(n,)`` mean of each bin that has windows.
        accuracy: ``(n,)`` share of right ones in it.
        share: ``(n,)`` of all windows.
        error: Expected calibration error: mean distance of the two, weighted by share.
    """

    probability: Array
    accuracy: Array
    share: Array
    error: float


def fitted_temperature(logits: Array, labels: NDArray[np.int64]) -> float:
    """What to divide logits by so that held-out labels become likeliest (Guo et al. 2017), all actions alike.

    Args:
        logits: ``(N, K)``, at temperature one.
        labels: ``(N,)``.
    """
    weights = even_weights(labels)

    def loss(log_temperature: float) -> float:
        likely = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-(weights * likely[np.arange(len(labels)), labels]).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(_LOWEST, _HIGHEST), method="bounded").x))


def recommended_threshold(best: Array, labels: NDArray[np.int64], kept: float = KEPT) -> float:
    """The probability below which to say unknown so that the share `kept` of held-out windows keeps its name.

    Args:
        best: ``(N,)`` probability of the likeliest action.
        labels: ``(N,)``, each action counting as much.
        kept: Between 0 and 1.
    """
    order = np.argsort(best, kind="stable")
    weights = even_weights(labels)[order]
    lost = np.cumsum(weights) - weights  # were the threshold this window's probability
    return float(best[order][np.searchsorted(lost, 1.0 - kept + 1e-9, side="right") - 1])


def reliability(best: Array, right: NDArray[np.bool_], bins: int = 10) -> Reliability:
    """Compare probabilities ``(N,)`` with whether they were right ``(N,)``."""
    place = np.minimum((best * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    probability = np.bincount(place, best, bins)[filled] / counts[filled]
    accuracy = np.bincount(place, right.astype(np.float64), bins)[filled] / counts[filled]
    share = counts[filled] / len(best)
    return Reliability(probability, accuracy, share, float((share * np.abs(probability - accuracy)).sum()))


def even_weights(labels: NDArray[np.int64]) -> Array:
    """``(N,)``, summing to one, each label that occurs having as much as any other."""
    counts = np.bincount(labels)
    return np.asarray(1.0 / (counts[labels] * np.count_nonzero(counts)))
