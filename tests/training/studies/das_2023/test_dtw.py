"""Windowed warping: against a table filled in by hand, its properties, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.das_2023.layers.dtw import dtw_distance, dtw_distances
from numpy.typing import NDArray

Array = NDArray[np.float64]


def by_table(a: Array, b: Array, window: int) -> float:
    """The definition, cell by cell."""
    band = window - 1 + abs(len(a) - len(b))
    table = np.full((len(a) + 1, len(b) + 1), np.inf)
    table[0, 0] = 0.0
    longer_a = len(a) >= len(b)
    for i in range(len(a)):
        for j in range(len(b)):
            ahead = i - j if longer_a else j - i
            if -(window - 1) <= ahead <= band:
                before = min(table[i, j], table[i, j + 1], table[i + 1, j])
                table[i + 1, j + 1] = ((a[i] - b[j]) ** 2).sum() + before
    return float(np.sqrt(table[-1, -1] / max(len(a), len(b))))


@st.composite
def pairs(draw: st.DrawFn, *, equal: bool = False) -> tuple[Array, Array]:
    features = draw(st.integers(1, 4))
    length = draw(st.integers(1, 12))
    other = length if equal else draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.standard_normal((length, features)), rng.standard_normal((other, features))


@given(pairs(), st.integers(1, 15))
@settings(max_examples=60)
def test_it_is_the_least_sum_over_all_ways_within_the_window(pair: tuple[Array, Array], window: int) -> None:
    a, b = pair
    assert dtw_distance(a, b, window) == pytest.approx(by_table(a, b, window), abs=1e-9)


@given(pairs(), st.integers(1, 15))
@settings(max_examples=30)
def test_it_is_symmetric_zero_on_itself_and_never_grows_with_the_window(pair: tuple[Array, Array], window: int) -> None:
    a, b = pair
    assert dtw_distance(a, b, window) == pytest.approx(dtw_distance(b, a, window))
    assert dtw_distance(a, a, window) == 0.0
    assert dtw_distance(a, b, window + 1) <= dtw_distance(a, b, window) + 1e-12


@given(pairs(equal=True))
@settings(max_examples=30)
def test_without_warping_it_is_the_euclidean_distance_per_frame(pair: tuple[Array, Array]) -> None:
    a, b = pair
    assert dtw_distance(a, b, 1) == pytest.approx(np.linalg.norm(a - b) / np.sqrt(len(a)))


def test_it_does_not_grow_with_length_and_sees_through_another_tempo() -> None:
    slow, fast = (np.sin(np.linspace(0.0, 6.0, n))[:, None] for n in (120, 60))
    assert dtw_distance(slow, fast, 10) < 0.05
    assert dtw_distance(np.zeros((10, 2)), np.ones((10, 2)), 3) == pytest.approx(
        dtw_distance(np.zeros((99, 2)), np.ones((99, 2)), 3)
    )


def test_all_pairs_of_many_lengths_at_once_are_those_of_each_pair() -> None:
    rng = np.random.default_rng(0)
    sequences = [rng.standard_normal((length, 3)).astype(np.float32) for length in (9, 4, 1, 9, 30)]
    together = dtw_distances(sequences, 4)
    for i, a in enumerate(sequences):
        for j, b in enumerate(sequences):
            assert together[i, j] == pytest.approx(0.0 if i == j else by_table(a.astype(float), b.astype(float), 4))


@pytest.mark.parametrize(
    ("sequences", "said"),
    [
        ([], "no sequences"),
        ([np.zeros((3, 2)), np.zeros((3, 4))], r"sequence 1 has shape \(3, 4\); all must be \(frames, 2\)"),
        ([np.zeros((3, 2)), np.zeros((0, 2))], "at least one frame"),
        ([np.zeros(3), np.zeros(3)], "sequence 0"),
        ([np.zeros((3, 2)), np.array([[0.0, 1.0], [np.nan, 0.0]])], "sequence 1, frame 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(sequences: list[Array], said: str) -> None:
    with pytest.raises(DataError, match=said):
        dtw_distances(sequences, 2)


def test_a_window_that_lets_nothing_meet_is_refused() -> None:
    with pytest.raises(SettingsError, match="window must be at least 1"):
        dtw_distance(np.zeros((3, 2)), np.zeros((3, 2)), 0)
