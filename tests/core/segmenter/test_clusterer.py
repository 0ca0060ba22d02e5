"""What our clusterer promises beyond what River asks: labels for good, mergers reported, memory that is bounded."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.segmenter import PrototypeClusterer
from river import base


def test_is_a_clusterer_whose_parameters_stay_as_given() -> None:
    clusterer = PrototypeClusterer(radius=0.5, max_prototypes=3)
    clusterer.learn_one({"a": 1.0})
    fresh = clusterer.clone()
    assert isinstance(clusterer, base.Clusterer)
    assert (fresh.radius, fresh.max_prototypes, fresh.labels) == (0.5, 3, ())
    assert clusterer.labels == (0,)


def test_predicts_before_learning() -> None:
    assert PrototypeClusterer().predict_one({"a": 1.0}) == 0


coordinate = st.floats(-3, 3)
points = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=40)


@settings(max_examples=100)
@given(points=points, limit=st.integers(1, 5), minted=st.frozensets(st.integers(0, 39)))
def test_labels_are_never_used_twice(points: list[tuple[float, float]], limit: int, minted: frozenset[int]) -> None:
    clusterer = PrototypeClusterer(radius=1.0, max_prototypes=limit)
    gone: set[int] = set()
    minted = [-1]
    for i, point in enumerate(np.array(points)):
        before = set(clusterer.labels)
        fresh = clusterer.mint() if i in minted else None
        predicted = clusterer.nearest(point)
        label = clusterer.learn(point, new_label=fresh)
        into = dict(clusterer.merged)
        if fresh is not None:
            assert fresh > minted[-1]
            minted.append(fresh)
        if predicted is None:
            assert label not in before | gone
            assert fresh in (None, label)
        else:
            while predicted in into:
                predicted = into[predicted]
            assert label == predicted
        assert all(older < younger for younger, older in into.items())
        gone |= before - set(clusterer.labels)
        assert set(into) <= gone
        assert label in clusterer.labels
        assert not gone & set(clusterer.labels)
        assert len(clusterer.labels) == len(set(clusterer.labels)) <= limit


def test_a_label_that_was_minted_is_not_given_to_another() -> None:
    clusterer = PrototypeClusterer(radius=1.0)
    minted = clusterer.mint()
    assert clusterer.learn(np.array([0.0, 0.0])) != minted
    assert clusterer.learn(np.array([9.0, 0.0]), new_label=minted) == minted


def test_a_label_is_not_given_again_after_its_prototype_is_forgotten() -> None:
    clusterer = PrototypeClusterer(radius=1.0, max_prototypes=1)
    first = clusterer.learn(np.array([0.0]), new_label=clusterer.mint())
    second = clusterer.learn(np.array([9.0]))
    again = clusterer.learn(np.array([0.0]), new_label=first)
    assert clusterer.labels == (again,)
    assert first < second < again


def test_prototypes_that_have_come_close_are_merged_and_the_older_label_remains() -> None:
    clusterer = PrototypeClusterer(radius=1.0)
    for value in (0.0, 3.0, 2.1, 0.9, 1.4):  # the means are then 0.77 and 2.55
        clusterer.learn(np.array([value]))
        assert clusterer.merged == ()
    assert clusterer.labels == (0, 1)
    merged = []
    for _ in range(40):  # between the two: one of them moves there, and so comes close to the other
        label = clusterer.learn(np.array([1.7]))
        merged += clusterer.merged
    assert merged == [(1, 0)]
    assert (label, clusterer.labels) == (0, (0,))


def test_a_merger_weighs_both() -> None:
    clusterer = PrototypeClusterer(radius=1.0)
    clusterer.learn(np.array([0.0]), weight=90.0)
    clusterer.learn(np.array([1.8]), weight=9.0)
    assert clusterer.learn(np.array([0.95]), weight=1e-9) in (0, 1)
    clusterer.length_scale = 2.0  # as when the stream turns out to vary more than it did
    assert clusterer.learn(np.array([0.0]), weight=1.0) == 0
    assert clusterer.merged == ((1, 0),)
    clusterer.length_scale = 0.17 / 1.0
    assert clusterer.nearest(np.array([0.162])) == 0  # (90 * 0 + 9 * 1.8 + 1 * 0) / 100
    assert clusterer.nearest(np.array([0.162 + 0.18])) is None


def test_what_errors_explain_does_not_found_a_label_but_merges_nothing() -> None:
    sure, unsure = PrototypeClusterer(radius=1.0), PrototypeClusterer(radius=1.0)
    sure.learn(np.array([0.0]))
    unsure.learn(np.array([0.0]), error=0.5)
    assert sure.nearest(np.array([2.0]), error=0.5) is None  # 4 > 1 + 3 * 0.5
    assert unsure.nearest(np.array([2.0]), error=0.5) == 0  # 4 <= 1 + 3 * (0.5 + 0.5)
    sure.learn(np.array([2.0]))
    sure.learn(np.array([0.0]), weight=1e-6, error=9.0)
    assert sure.labels == (0, 1)


def test_the_one_seen_longest_ago_is_forgotten() -> None:
    clusterer = PrototypeClusterer(radius=1.0, max_prototypes=3)
    for value in (0.0, 10.0, 20.0, 0.0, 30.0):
        clusterer.learn(np.array([value]))
    assert clusterer.labels == (0, 2, 3)


def test_an_old_prototype_follows_slow_change() -> None:
    light, heavy = (PrototypeClusterer(radius=1.0, max_weight=w) for w in (50.0, 1e9))
    for i in range(4000):
        for clusterer in (light, heavy):
            clusterer.learn(np.array([i / 400]))
    assert light.labels == (0,)
    assert len(heavy.labels) > 1


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1), pace=st.floats(0.0, 0.1), limit=st.integers(1, 16))
def test_memory_is_constant_however_the_data_drifts(seed: int, pace: float, limit: int) -> None:
    live_long(seed, pace, limit, n_points=5_000)


def test_memory_is_constant_over_tens_of_thousands_of_points() -> None:
    live_long(seed=0, pace=0.02, limit=16, n_points=30_000)


def live_long(seed: int, pace: float, limit: int, n_points: int) -> None:
    rng = np.random.default_rng(seed)
    clusterer = PrototypeClusterer(radius=1.0, max_prototypes=limit)
    centres = 4.0 * rng.standard_normal((40, 4))
    greatest = -1
    sizes = []
    for i in range(n_points):
        centres += pace * rng.standard_normal(centres.shape)
        known = clusterer.labels
        label = clusterer.learn(centres[rng.integers(40)] + 0.1 * rng.standard_normal(4), weight=4.0, error=0.01)
        if label not in known:
            assert label > greatest
            greatest = label
        if i % (n_points // 20) == 0:
            sizes.append(len(pickle.dumps(clusterer)))
    assert len(clusterer.labels) <= limit
    assert max(sizes[2:]) <= max(sizes[:2]) + 64 * limit  # rows that a merger left free


def test_a_full_memory_is_small() -> None:
    clusterer = PrototypeClusterer(radius=0.1)
    rng = np.random.default_rng(0)
    for _ in range(200):
        clusterer.learn(rng.standard_normal(32), error=0.01)
    assert len(clusterer.labels) == 64
    assert len(pickle.dumps(clusterer)) <= 12 * 1024


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_a_point_that_is_not_finite_is_refused_and_changes_nothing(value: float) -> None:
    clusterer = PrototypeClusterer()
    clusterer.learn(np.array([0.0, 1.0]))
    state = pickle.dumps(clusterer)
    with pytest.raises(ValueError, match="finite"):
        clusterer.learn(np.array([0.0, value]))
    with pytest.raises(ValueError, match="weight"):
        clusterer.learn(np.array([0.0, 1.0]), weight=-1.0)
    assert pickle.dumps(clusterer) == state
