"""Whatever gives labels, ours or one of River's: labels for good, questions that change nothing, bounded memory."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.segmenter.labels import CLUSTERERS, Labeller, SegmentPoint, make_labeller, segment_point
from numpy.typing import NDArray

DIM = 8

every = pytest.mark.parametrize("name", CLUSTERERS)


def labeller(name: str, max_labels: int = 64) -> Labeller:
    return make_labeller(name, same_action=0.1, max_labels=max_labels, dim=DIM)


def of(mean: NDArray[np.float64], length: int = 50, error: float = 0.0, scatter: float = 0.1) -> SegmentPoint:
    """A segment with this mean, whose blocks have that total variance."""
    return SegmentPoint(mean, error, np.full(DIM, scatter / DIM), 0.0, length)


def visits(actions: list[int], seed: int = 0) -> NDArray[np.float64]:
    """One point a visit, of unit variance over all actions and dimensions, far from 0."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((20, DIM)) / np.sqrt(DIM)
    return 3.0 + centres[actions] + 0.05 * rng.standard_normal((len(actions), DIM)) / np.sqrt(DIM)


@pytest.mark.parametrize("name", ["prototypes", "dbstream"])
@pytest.mark.parametrize("unit", [0.01, 1.0, 300.0])
def test_an_action_is_known_again_whatever_the_scale(name: str, unit: float) -> None:
    actions = [0, 1, 0, 2, 1, 3, 0, 3, 2]
    model = labeller(name)
    model.length_scale = unit
    labels = [model.learn(of(unit * point, scatter=0.1 * unit**2))[0] for point in visits(actions)]
    assert labels == actions


@every
@settings(max_examples=15)
@given(
    actions=st.lists(st.integers(0, 7), min_size=1, max_size=25),
    limit=st.integers(1, 6),
    minted=st.frozensets(st.integers(0, 24)),
    cuts=st.frozensets(st.integers(0, 24), max_size=4),
)
def test_labels_are_for_good(
    name: str, actions: list[int], limit: int, minted: frozenset[int], cuts: frozenset[int]
) -> None:
    model, twin = labeller(name, limit), labeller(name, limit)
    gone: set[int] = set()
    for i, point in enumerate(visits(actions)):
        if i in cuts:
            model = pickle.loads(pickle.dumps(model))
        before, state = set(model.labels), pickle.dumps(model)
        segment = of(point, 10 * (1 + i % 7), 0.01)
        known, probability = model.nearest(segment)
        assert known is None or known in before
        assert 0.0 <= probability <= 1.0
        assert known is None or model.nearest(segment, but_not=known)[0] != known
        assert pickle.dumps(model) == state, "asking changed it"
        fresh = model.mint() if i in minted else None
        assert fresh is None or fresh not in before | gone
        label, probability = model.learn(segment, fresh)
        assert twin.learn(segment, twin.mint() if i in minted else None) == (label, probability)
        assert 0.0 <= probability <= 1.0
        assert label in model.labels
        assert label not in gone
        for younger, older in model.merged:
            assert older < younger
            assert younger not in model.labels
        gone |= before - set(model.labels)
        assert not gone & set(model.labels)
        assert len(model.labels) <= limit


@every
def test_memory_is_bounded_while_the_motion_moves_on_for_good(name: str) -> None:
    model = labeller(name, max_labels=8)
    rng = np.random.default_rng(0)
    sizes = []
    for i in range(400):
        model.learn(of(0.01 * i + rng.standard_normal(DIM) / np.sqrt(DIM), 10))
        if i % 50 == 49:
            sizes.append(len(pickle.dumps(model)))
    assert max(sizes[4:]) <= 1.3 * max(sizes[:4])


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="prototypes, dbstream, denstream, clustream, kmeans"):
        labeller("birch")


def test_a_segments_point_leaves_out_its_ends() -> None:
    blocks = np.concatenate([np.full((4, 2), 9.0), np.ones((10, 2)), np.full((4, 2), -9.0)])
    point = segment_point(blocks, trim=4, reach=5)
    assert (point.mean.tolist(), point.error, point.drift) == ([1.0, 1.0], 0.0, 0.0)
    assert point.variance.tolist() == [0.0, 0.0]
    assert point.length == 18
    assert segment_point(blocks, trim=4, reach=5, length=700).length == 700
    assert segment_point(blocks[:6], trim=4, reach=5).mean.tolist() == blocks[:6].mean(axis=0).tolist()
    assert segment_point(blocks[:0], trim=4, reach=5).mean.tolist() == [0.0, 0.0]


def test_halves_that_differ_are_a_drift() -> None:
    blocks = np.repeat([[0.0, 0.0], [3.0, 4.0]], 10, axis=0)
    assert segment_point(blocks, trim=0, reach=5).drift == pytest.approx(25.0)
