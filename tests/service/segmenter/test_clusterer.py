"""The clusterer as River knows clusterers, and what we promise beyond that."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_service.segmenter import PrototypeClusterer
from river import base, checks


@pytest.mark.parametrize("check", list(checks.yield_checks(PrototypeClusterer())), ids=lambda c: c.__name__)
def test_passes_rivers_checks(check: object) -> None:
    assert callable(check)
    check(PrototypeClusterer())


def test_is_a_clusterer_whose_parameters_stay_as_given() -> None:
    clusterer = PrototypeClusterer(radius=0.5, max_prototypes=3)
    clusterer.learn_one({"a": 1.0})
    fresh = clusterer.clone()
    assert isinstance(clusterer, base.Clusterer)
    assert (fresh.radius, fresh.max_prototypes, fresh.labels) == (0.5, 3, ())
    assert clusterer.labels == (0,)


def test_predicts_before_learning() -> None:
    assert PrototypeClusterer().predict_one({"a": 1.0}) == 0


points = st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=40)


@settings(max_examples=50, deadline=None)
@given(points=points, limit=st.integers(1, 5))
def test_labels_are_never_used_twice_and_prediction_is_what_learning_does(
    points: list[tuple[float, float]], limit: int
) -> None:
    clusterer = PrototypeClusterer(radius=1.0, max_prototypes=limit)
    gone: set[int] = set()
    for x, y in points:
        before = set(clusterer.labels)
        state = pickle.dumps(clusterer)
        predicted = clusterer.predict_one({"x": x, "y": y})
        if before:  # before anything is learned it has no features to know
            assert pickle.dumps(clusterer) == state, "predicting must not change it"
        clusterer.learn_one({"x": x, "y": y})
        gone |= before - set(clusterer.labels)
        assert predicted in clusterer.labels
        assert predicted not in gone
        assert len(clusterer.labels) <= limit


def test_a_label_that_was_minted_is_not_given_to_another() -> None:
    clusterer = PrototypeClusterer(radius=1.0)
    announced = clusterer.mint()
    assert clusterer.learn(np.array([0.0, 0.0])) != announced
    assert clusterer.learn(np.array([9.0, 0.0]), fresh_label=announced) == announced
