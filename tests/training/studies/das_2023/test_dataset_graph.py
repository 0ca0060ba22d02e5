"""Dataset graphs: who is joined to whom, by k-NN and by non-negative kernel regression, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.das_2023.layers.dataset_graph import Neighbours, dataset_graph, graph_of_distances
from numpy.typing import NDArray

BOTH: tuple[Neighbours, ...] = ("knn", "nnk")


def distances_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(points[:, None] - points[None, :], axis=2)


def two_crowds(spread: float) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    centres = np.repeat([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0]], 8, axis=0)
    return centres + spread * rng.standard_normal(centres.shape)


@given(st.integers(4, 14), st.integers(1, 8), st.sampled_from(BOTH), st.integers(0, 2**32))
@settings(max_examples=60)
def test_any_distances_make_an_undirected_graph_of_their_own_scale(
    n: int, k: int, neighbours: Neighbours, seed: int
) -> None:
    rough = np.random.default_rng(seed).uniform(0.0, 1.0, (n, n))  # no triangle inequality, as warping has none
    distances = np.triu(rough, 1) + np.triu(rough, 1).T
    k = min(k, n - 1)
    weights = graph_of_distances(distances, k=k, neighbours=neighbours)
    assert weights.shape == (n, n)
    assert (weights >= 0.0).all()
    assert not np.diag(weights).any()
    np.testing.assert_allclose(weights, weights.T)
    np.testing.assert_allclose(weights, graph_of_distances(1000 * distances, k=k, neighbours=neighbours), atol=1e-6)
    among = weights > 0.0
    candidates = np.argsort(distances + 9 * np.eye(n), axis=1)[:, :k]
    mutual = np.zeros((n, n), dtype=bool)
    np.put_along_axis(mutual, candidates, values=True, axis=1)
    assert not (among & ~(mutual | mutual.T)).any()


@pytest.mark.parametrize("neighbours", BOTH)
def test_crowds_far_apart_are_not_joined(neighbours: Neighbours) -> None:
    weights = graph_of_distances(distances_of(two_crowds(1.0)), k=4, neighbours=neighbours)
    assert not weights[:8, 8:].any()
    assert (weights.sum(axis=1) > 0.0).all()


def test_of_points_in_a_row_nnk_keeps_the_next_ones_only_and_knn_all() -> None:
    distances = distances_of(np.arange(9.0)[:, None])
    nnk = graph_of_distances(distances, k=4, neighbours="nnk")
    knn = graph_of_distances(distances, k=4, neighbours="knn")
    for node in range(1, 8):
        near, far = sorted([nnk[node, node - 1], nnk[node, node + 1]])[0], np.delete(nnk[node], [node - 1, node + 1])
        assert near > 10 * far.max()
    assert (knn > 0.0).sum() > 1.5 * (nnk > 1e-3).sum()


def test_nnk_solves_its_problem() -> None:
    """With all others as candidates and no pair in conflict, no other weights describe a node better."""
    rng = np.random.default_rng(3)
    points = rng.standard_normal((6, 2))
    distances = distances_of(points)
    weights = graph_of_distances(distances, k=5, neighbours="nnk")
    reach = np.sort(distances, axis=1)[:, 5]
    kernel = np.exp(-(distances**2) / np.outer(reach, reach))
    errors = []
    for node in range(6):
        rest = np.delete(np.arange(6), node)
        among, towards = kernel[np.ix_(rest, rest)], kernel[rest, node]
        trials = rng.exponential(0.3, (20000, 5)) * (rng.uniform(size=(20000, 5)) < 0.7)
        errors.append((1 - 2 * trials @ towards + ((trials @ among) * trials).sum(axis=1)).min())
    best = int(np.argmin(errors))  # in every pair with it, its own weights hold
    rest = np.delete(np.arange(6), best)
    own = weights[best, rest]
    reached = 1 - 2 * own @ kernel[rest, best] + own @ kernel[np.ix_(rest, rest)] @ own
    assert reached <= errors[best] + 1e-6


@pytest.mark.parametrize("neighbours", BOTH)
def test_equal_sequences_do_not_break_it(neighbours: Neighbours) -> None:
    distances = distances_of(np.repeat([[0.0], [1.0], [5.0]], 4, axis=0))
    weights = graph_of_distances(distances, k=3, neighbours=neighbours)
    assert np.isfinite(weights).all()
    same = np.kron(np.eye(3), np.ones((4, 4))).astype(bool)
    assert not weights[~same].any()
    assert (weights.sum(axis=1) > 0.0).all()
    assert np.isfinite(graph_of_distances(np.zeros((4, 4)), k=2, neighbours=neighbours)).all()


def test_sequences_of_other_tempo_and_length_are_neighbours() -> None:
    def wave(cycles: float, length: int) -> NDArray[np.float64]:
        phase = np.linspace(0.0, 2 * np.pi * cycles, length)
        return np.stack([np.sin(phase), np.cos(phase)], axis=1)

    sequences = [wave(1.0, n) for n in (40, 50, 60)] + [wave(3.0, n) for n in (40, 50, 60)]
    weights = dataset_graph(sequences, window=5, k=2)
    assert not weights[:3, 3:].any()


@pytest.mark.parametrize("neighbours", BOTH)
def test_sequences_of_one_take_can_be_kept_apart(neighbours: Neighbours) -> None:
    distances, takes = distances_of(two_crowds(1.0)), np.arange(16) % 3
    weights = graph_of_distances(distances, k=3, neighbours=neighbours, takes=takes)
    assert not weights[takes[:, None] == takes[None, :]].any()
    assert (weights.sum(axis=1) > 0.0).all()
    with pytest.raises(SettingsError, match=r"k must be from 1 to 10 .* other takes, got 11"):
        graph_of_distances(distances, k=11, takes=takes)
    with pytest.raises(DataError, match="takes must be one for each of the 16"):
        graph_of_distances(distances, takes=takes[:4])


def test_what_makes_no_graph_is_refused() -> None:
    distances = distances_of(two_crowds(1.0))
    with pytest.raises(SettingsError, match="k must be from 1 to 15 for 16 sequences, got 16"):
        graph_of_distances(distances, k=16)
    with pytest.raises(SettingsError, match="k must be"):
        graph_of_distances(distances, k=0)
    with pytest.raises(SettingsError, match="knn, nnk"):
        graph_of_distances(distances, neighbours="all")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"\(N, N\)"):
        graph_of_distances(distances[:3])
    with pytest.raises(DataError, match="symmetric"):
        graph_of_distances(np.triu(distances))
    with pytest.raises(DataError, match="sequence 1"):
        dataset_graph([np.zeros((4, 2)), np.zeros((4, 3))], window=2, k=1)
