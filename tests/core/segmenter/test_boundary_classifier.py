"""Boundary classifiers: what they say, and how they are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg_core.segmenter.boundary_classifier import BoundaryClassifier, BoundaryClassifiers, packaged_classifiers

PLAIN = BoundaryClassifier(("a", "b"), np.zeros(2), np.ones(2), None, np.array([1.0, -2.0]), 0.5)


def test_without_a_hidden_layer_it_is_a_logistic_regression() -> None:
    assert PLAIN(np.array([0.3, 0.1])) == pytest.approx(1.0 / (1.0 + np.exp(-(0.3 - 0.2 + 0.5))))


def test_what_is_far_from_all_training_counts_no_more_than_five_deviations() -> None:
    assert PLAIN(np.array([1e6, 0.0])) == PLAIN(np.array([5.0, 0.0]))


@pytest.mark.parametrize("name", ["provisional", "final"])
def test_a_classifier_is_the_same_after_it_was_written_and_read(name: str) -> None:
    packaged = packaged_classifiers()
    classifier = getattr(packaged, name)
    again = getattr(BoundaryClassifiers.from_text(packaged.text()), name)
    features = classifier.mean + 0.7 * classifier.scale
    assert again.features == classifier.features
    assert again(features) == pytest.approx(classifier(features), abs=1e-6)
    assert again.confidence(0.8) == pytest.approx(classifier.confidence(0.8), abs=1e-6)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_confidence_rises_with_probability_and_is_never_certain(one: float, other: float) -> None:
    low, high = sorted((one, other))
    classifier = packaged_classifiers().provisional
    assert 0.0 < classifier.confidence(low) <= classifier.confidence(high) < 1.0
