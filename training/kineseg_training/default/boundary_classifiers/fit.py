"""Fits the classifiers to their examples."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from kineseg_core.segmenter.boundary_classifier import BoundaryClassifier
from kineseg_core.segmenter.features import FINAL_FEATURES, PROVISIONAL_FEATURES
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from kineseg_training.default.boundary_classifiers.examples import Examples

UNITS = 24


def fit_final(generated: Examples, assembled: Examples, weight: float = 0.2) -> BoundaryClassifier:
    """A logistic regression.

    Args:
        generated: Examples of generated motion.
        assembled: Examples of streams assembled from clips. A clip of one action by name often holds several, so what
            is no boundary there by name may be one: they weigh less.
        weight: How much they weigh.
    """
    both = Examples.joined([generated, assembled])
    weights = np.concatenate([np.ones(len(generated)), np.full(len(assembled), weight)])
    mean = np.average(both.features, axis=0, weights=weights)
    scale = np.sqrt(np.average((both.features - mean) ** 2, axis=0, weights=weights)) + 1e-6
    model = LogisticRegression(C=0.03, max_iter=1000)
    model.fit(np.clip((both.features - mean) / scale, -5.0, 5.0), both.positive, sample_weight=weights)
    return BoundaryClassifier(FINAL_FEATURES, mean, scale, None, model.coef_[0], float(model.intercept_[0]))


def fit_provisional(examples: Examples, seed: int = 0) -> BoundaryClassifier:
    """A network with one hidden layer."""
    mean, scale = examples.features.mean(axis=0), examples.features.std(axis=0) + 1e-6
    model = MLPClassifier((UNITS,), activation="tanh", alpha=0.1, learning_rate_init=3e-3, batch_size=256,
                          max_iter=40, early_stopping=True, n_iter_no_change=6, random_state=seed)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 40 passes are enough, whether it has settled or not
        model.fit(np.clip((examples.features - mean) / scale, -5.0, 5.0), examples.positive)
    hidden = (model.coefs_[0], model.intercepts_[0])
    weight, bias = model.coefs_[1][:, 0], float(model.intercepts_[1][0])
    return BoundaryClassifier(PROVISIONAL_FEATURES, mean, scale, hidden, weight, bias)


def calibrated(classifier: BoundaryClassifier, outcomes: Sequence[tuple[float, bool]]) -> BoundaryClassifier:
    """The classifier with its confidence calibrated (Platt 1999).

    Args:
        classifier: Not calibrated yet.
        outcomes: Of provisional boundaries that it gave: probability, and whether each was confirmed.
    """
    probability, confirmed = (np.array(values) for values in zip(*outcomes, strict=True))
    model = LogisticRegression(C=1e3).fit(np.log(probability / (1.0 - probability))[:, None], confirmed)
    return replace(classifier, calibration=(float(model.coef_[0, 0]), float(model.intercept_[0])))
