"""Fits the judges to their lessons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from kineseg_core.segmenter.boundary_classifier import Judge
from kineseg_core.segmenter.features import EARLY, FINAL
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from kineseg_training.default.boundary_classifiers.examples import Lessons

UNITS = 24


def learn_final(made: Lessons, assembled: Lessons, weight: float = 0.2) -> Judge:
    """A logistic regression.

    Args:
        made: Lessons of generated motion.
        assembled: Lessons of streams put together from clips. A clip that is called one action often holds several,
            so what is said to be no boundary there may be one: they count less.
        weight: How much they count.
    """
    both = Lessons.joined([made, assembled])
    counts = np.concatenate([np.ones(len(made.answer)), np.full(len(assembled.answer), weight)])
    mean = np.average(both.evidence, axis=0, weights=counts)
    scale = np.sqrt(np.average((both.evidence - mean) ** 2, axis=0, weights=counts)) + 1e-6
    model = LogisticRegression(C=0.03, max_iter=1000)
    model.fit(np.clip((both.evidence - mean) / scale, -5.0, 5.0), both.answer, sample_weight=counts)
    return Judge(FINAL, mean, scale, None, model.coef_[0], float(model.intercept_[0]))


def learn_early(lessons: Lessons, seed: int = 0) -> Judge:
    """A network with one hidden layer."""
    mean, scale = lessons.evidence.mean(axis=0), lessons.evidence.std(axis=0) + 1e-6
    model = MLPClassifier((UNITS,), activation="tanh", alpha=0.1, learning_rate_init=3e-3, batch_size=256,
                          max_iter=40, early_stopping=True, n_iter_no_change=6, random_state=seed)  # fmt: skip
    model.fit(np.clip((lessons.evidence - mean) / scale, -5.0, 5.0), lessons.answer)
    hidden = (model.coefs_[0], model.intercepts_[0])
    weight, bias = model.coefs_[1][:, 0], float(model.intercepts_[1][0])
    return Judge(EARLY, mean, scale, hidden, weight, bias)


def calibrated(judge: Judge, announced: Sequence[tuple[float, bool]]) -> Judge:
    """The judge with its confidence put right by what became of announcements, (confidence so far, confirmed)."""
    told, confirmed = np.array([told for told, _ in announced]), np.array([came for _, came in announced])
    model = LogisticRegression(C=1e3).fit(np.log(told / (1.0 - told))[:, None], confirmed)
    return replace(judge, calibration=(float(model.coef_[0, 0]), float(model.intercept_[0])))
