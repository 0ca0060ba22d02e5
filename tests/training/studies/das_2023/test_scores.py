"""What is said about a recogniser: calibration, unknown actions, clips, and the nearest neighbour beside it."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_training.data.labelled import LabelledWindows
from kineseg_training.studies.das_2023.scores import (
    Evaluated,
    even_weights,
    fitted_temperature,
    nearest_neighbour,
    recommended_threshold,
    rejection,
    reliability,
    similarity,
)


def windows_of(labels: list[int], clips: list[int]) -> LabelledWindows:
    frames = np.zeros((len(labels), 3, 2), np.float32)
    return LabelledWindows(frames, np.array(labels), np.array(clips), np.zeros(len(labels), np.int64))


def test_the_temperature_that_made_the_labels_is_found_again() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 2.0, (20000, 3))
    odds = np.exp(logits)
    labels = (rng.random((len(logits), 1)) > np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    assert fitted_temperature(5.0 * logits, labels) == pytest.approx(5.0, rel=0.1)


def test_the_threshold_keeps_the_share_of_each_action_alike() -> None:
    # A hundred windows of one action score high, ten of the other low: half of all weight is theirs.
    best = np.concatenate([np.linspace(0.8, 0.9, 100), np.linspace(0.1, 0.2, 10)])
    labels = np.repeat([0, 1], [100, 10])
    threshold = recommended_threshold(best, labels, kept=0.9)
    assert even_weights(labels)[best >= threshold].sum() == pytest.approx(0.9)
    assert threshold == best[102]  # two of the ten are lost


def test_reliability_is_zero_where_probabilities_are_right_and_one_where_they_are_wrong() -> None:
    sure = np.full(50, 1.0)
    assert reliability(sure, np.ones(50, bool)).error == 0.0
    assert reliability(sure, np.zeros(50, bool)).error == 1.0
    half = reliability(np.full(50, 0.5), np.arange(50) % 2 == 0)
    assert half.error == pytest.approx(0.0)
    assert half.share.sum() == pytest.approx(1.0)


def test_a_clip_is_named_by_all_of_its_windows() -> None:
    odds = np.log([[0.6, 0.4], [0.6, 0.4], [0.01, 0.99], [0.3, 0.7]])
    found = Evaluated(windows_of([0, 0, 0, 1], [0, 0, 0, 1]), ("a", "b"), odds)
    assert found.right.tolist() == [True, True, False, True]
    assert found.balanced() == pytest.approx((2 / 3 + 1) / 2)
    assert found.confusion().tolist() == [[2, 1], [0, 1]]
    chosen, truth, _ = found.of_clips()
    assert (chosen.tolist(), truth.tolist()) == ([1, 1], [0, 1])  # one window was sure, two were not
    assert found.clip_accuracy() == 0.5


def test_known_and_unknown_that_lie_apart_are_separated() -> None:
    labels = np.array([0, 1, 1])
    apart = rejection("any", 0.5, (np.array([0.9, 0.8, 0.7]), labels), (np.array([0.1, 0.2, 0.3]), labels))
    assert (apart.kept, apart.rejected, apart.auroc) == (1.0, 1.0, 1.0)
    turned = rejection("any", 0.5, (np.array([0.1, 0.2, 0.9]), labels), (np.array([0.9, 0.8, 0.3]), labels))
    assert turned.kept == pytest.approx(0.25)  # actions alike: none of one, half of the other
    assert turned.auroc < 0.5


def test_the_nearest_neighbour_has_the_most_similar_poses() -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal(0.0, 1.0, (4, 5, 2)).astype(np.float32)
    train = LabelledWindows(frames, np.array([3, 1, 2, 0]), np.arange(4), np.zeros(4, np.int64))
    test = LabelledWindows(frames[::-1] + np.float32(0.01), np.zeros(4, np.int64), np.arange(4), np.zeros(4, np.int64))
    assert nearest_neighbour(train, test, np.zeros(2), np.ones(2)).tolist() == [0, 2, 1, 3]
    assert similarity(np.eye(2), np.array([[0.6, 0.8]])).tolist() == [0.6, 0.8]
