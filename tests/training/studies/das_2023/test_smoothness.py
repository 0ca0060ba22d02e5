"""Label smoothness: its two ends, its baseline, what it does not depend on, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_training.errors import DataError
from kineseg_training.studies.das_2023.layers.smoothness import label_smoothness, shuffled_smoothness
from numpy.typing import NDArray


def graph(n: int, seed: int, density: float = 0.5) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    rough = np.triu(rng.uniform(size=(n, n)) * (rng.uniform(size=(n, n)) < density), 1)
    rough[0, 1] = 1.0
    return rough + rough.T


@given(st.integers(3, 20), st.integers(0, 2**32))
@settings(max_examples=60)
def test_it_is_the_share_of_weight_between_labels_on_any_graph(n: int, seed: int) -> None:
    weights, labels = graph(n, seed), np.random.default_rng(seed).integers(0, 3, n)
    labels[:2] = 0, 1
    share = weights[labels[:, None] != labels[None, :]].sum() / weights.sum()
    assert label_smoothness(weights, labels) == pytest.approx(share, abs=1e-9)
    assert label_smoothness(7.0 * weights, labels) == pytest.approx(share, abs=1e-9)
    assert label_smoothness(weights, 10 - 3 * labels) == pytest.approx(share, abs=1e-9)  # names of labels mean nothing


def test_from_nothing_shared_to_all_shared() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    same = (labels[:, None] == labels[None, :]).astype(float) - np.eye(6)
    assert label_smoothness(same, labels) == pytest.approx(0.0, abs=1e-12)
    assert label_smoothness(1.0 - np.eye(6) - same, labels) == pytest.approx(1.0)


def test_shuffled_labels_come_to_the_baseline() -> None:
    rng = np.random.default_rng(0)
    weights, labels = graph(40, 1), np.repeat([0, 1, 2], [5, 10, 25])
    found = [label_smoothness(weights, rng.permutation(labels)) for _ in range(400)]
    assert np.mean(found) == pytest.approx(shuffled_smoothness(labels), abs=0.01)
    assert shuffled_smoothness(np.arange(5)) == 1.0


def test_a_node_without_edges_has_no_say() -> None:
    weights, labels = graph(10, 2), np.arange(10) % 2
    lonely = np.zeros((11, 11))
    lonely[:10, :10] = weights
    assert label_smoothness(lonely, np.append(labels, 2)) == pytest.approx(label_smoothness(weights, labels))


def test_what_has_no_smoothness_is_refused() -> None:
    weights = graph(4, 0)
    with pytest.raises(DataError, match="fewer than two different labels"):
        label_smoothness(weights, np.zeros(4, dtype=int))
    with pytest.raises(DataError, match="fewer than two"):
        shuffled_smoothness(np.array([3]))
    with pytest.raises(DataError, match=r"3 labels need weights of shape \(3, 3\)"):
        label_smoothness(weights, np.array([0, 1, 1]))
    with pytest.raises(DataError, match="no edges"):
        label_smoothness(np.zeros((2, 2)), np.array([0, 1]))
    with pytest.raises(DataError, match="symmetric"):
        label_smoothness(np.triu(np.ones((2, 2)), 1), np.array([0, 1]))
    with pytest.raises(DataError, match="one for each"):
        label_smoothness(weights, np.zeros((4, 1), dtype=int))
