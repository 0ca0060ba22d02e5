"""How probable it is that a segment repeats an action: its range, what it grows with, that nothing else changes it."""

from __future__ import annotations

import pickle
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.segmenter.labels import SegmentLabeller, SegmentPoint
from kineseg_core.segmenter.labels.repetition import FEATURES, Kind, Known, features, probabilities, weights_of
from numpy.typing import NDArray

DIM = 8
Array = NDArray[np.float64]


def segment(mean: Array, *, scatter: float = 0.2, length: int = 40, error: float = 0.005) -> SegmentPoint:
    return SegmentPoint(mean, error, np.full(DIM, scatter / DIM), 0.0, length)


def at(*distances: float) -> list[Array]:
    """Means on one line, that far from 0."""
    return [np.eye(DIM)[0] * distance for distance in distances]


def taught(*means: Array) -> SegmentLabeller:
    labeller = SegmentLabeller(0.1)
    for mean in means:
        labeller.learn(segment(mean))
    return labeller


def test_what_is_repeated_is_probable_and_what_is_new_is_not() -> None:
    known = [np.eye(DIM)[i] * 2.0 for i in range(4)]
    labeller = taught(*known)
    label, probability = labeller.nearest(segment(known[1]))
    assert label == 1
    assert probability > 0.9
    label, probability = labeller.nearest(segment(-known[1] * 2.0))
    assert label is None
    assert probability < 0.1


def test_nothing_can_be_repeated_before_there_was_something() -> None:
    assert SegmentLabeller(0.1).learn(segment(at(1.0)[0])) == (0, 0.0)


def test_the_farther_the_less_probable() -> None:
    labeller = taught(*at(0.0))
    found = [labeller.nearest(segment(mean)) for mean in at(0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)]
    probability = [each for _, each in found]
    assert probability == sorted(probability, reverse=True)
    assert probability[0] > probability[-1]
    known = [label is not None for label, _ in found]
    assert known == sorted(known, reverse=True)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_probability_has_no_unit(unit: float) -> None:
    def asked(unit: float) -> tuple[int | None, float]:
        labeller = SegmentLabeller(0.1)
        labeller.length_scale = unit
        for mean in at(0.0, 2.0):
            labeller.learn(scaled(segment(mean), unit))
        return labeller.nearest(scaled(segment(at(0.5)[0]), unit))

    label, probability = asked(unit)
    expected_label, expected = asked(1.0)
    assert label == expected_label
    assert probability == pytest.approx(expected, rel=1e-4)


def scaled(point: SegmentPoint, by: float) -> SegmentPoint:
    square = by**2
    return SegmentPoint(
        point.mean * by, point.error * square, point.variance * square, point.drift * square, point.length
    )


@settings(max_examples=50)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 20),
    size=st.floats(0.0, 1e6),
    unit=st.floats(1e-6, 1e6),
    length=st.integers(0, 10**6),
)
def test_any_segment_has_a_probability(seed: int, count: int, size: float, unit: float, length: int) -> None:
    rng = np.random.default_rng(seed)
    labeller = SegmentLabeller(0.1)
    labeller.length_scale = unit
    for _ in range(count):
        point = SegmentPoint(size * rng.standard_normal(DIM), size, size * rng.random(DIM), size, length)
        label, probability = labeller.nearest(point)
        assert 0.0 <= probability <= 1.0
        taken, same = labeller.learn(point)
        assert same == probability
        merged = dict(labeller.merged)
        while label in merged:  # joining has moved it close to an older one
            label = merged[label]
        assert label in (None, taken)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_probabilities_are_of_one_of_the_actions_or_none(kind: Kind) -> None:
    rng = np.random.default_rng(0)
    known = Known(rng.standard_normal((5, DIM)), rng.random(5), rng.random((5, DIM)))
    rows = features(segment(rng.standard_normal(DIM)), known, 1.0, 0.0)
    assert rows.shape == (5, len(FEATURES))
    found = probabilities(weights_of(kind).log_odds(rows))
    assert np.all((found >= 0.0) & (found <= 1.0))
    assert found.sum() <= 1.0


@given(st.lists(st.floats(-1e4, 1e4), max_size=8))
def test_probabilities_never_overflow(log_odds: list[float]) -> None:
    found = probabilities(np.array(log_odds))
    assert np.all(np.isfinite(found))
    assert found.sum() <= 1.0 + 1e-9


def test_a_pickle_goes_on_alike() -> None:
    labeller = taught(*at(0.0, 2.0, 0.1))
    twin = pickle.loads(pickle.dumps(labeller))
    for mean in at(2.1, 0.0, 5.0):
        assert twin.learn(segment(mean)) == labeller.learn(segment(mean))


def test_a_labeller_stays_small() -> None:
    labeller = SegmentLabeller(0.1)
    rng = np.random.default_rng(0)
    for _ in range(300):
        mean = 10.0 * rng.standard_normal(32)
        labeller.learn(SegmentPoint(mean, 0.01, np.ones(32), 0.1, 40))
    assert len(labeller.labels) == 64
    assert len(pickle.dumps(labeller)) < 20 * 1024
