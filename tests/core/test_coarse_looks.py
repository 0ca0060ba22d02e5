"""What is seen of a candidate at half and a quarter of the pace, and what that counts beside what is seen fine."""

from __future__ import annotations

import pickle
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network import (
    BlockRing,
    BoundaryNetwork,
    CoarseLook,
    CoarseRings,
    Look,
    ViewPlan,
    packaged_network,
)
from kineseg_core.boundary_network.layout import COARSE, COARSE_LAGS, COARSE_WEIGHTS, LAGS, pieces_known
from kineseg_core.boundary_network.log_distance import BLOCK_STEPS
from numpy.typing import NDArray

CHANNELS = 6
PLAN = ViewPlan.of_signal(CHANNELS, 0, 10.0)
F32 = NDArray[np.float32]


def blocks(seed: int, count: int) -> F32:
    """``(T, D)`` of a wandering signal; whole numbers of steps, fours of them, so that means have none left over."""
    walk = np.cumsum(np.random.default_rng(seed).standard_normal((count, PLAN.dims)), axis=0)
    return (4.0 * np.round(walk * 10.0) / BLOCK_STEPS).astype(np.float32)


def looks(some: F32, at: int, lags: tuple[int, ...] = (4, 15, 30)) -> list[Look]:
    """At candidates so many blocks before the end, after the first `at` blocks."""
    ring, coarse = BlockRing(PLAN.ends, PLAN.views), CoarseRings(PLAN.ends, PLAN.views)
    for i, block in enumerate(some[:at]):
        if i == at // 2:
            ring, coarse = pickle.loads(pickle.dumps((ring, coarse)))
        ring.append(block)
        coarse.append(ring)
    return coarse.beside(ring.look([(at - lag, lag) for lag in lags if at - lag >= 8]), ring)


def weights_of(lag: int) -> list[float]:
    """Of what is seen coarse of a candidate so many blocks later."""
    return [float(weight) for weight in COARSE_WEIGHTS[LAGS.index(lag)]]


def seen(coarse: CoarseLook) -> Look:
    assert coarse.look is not None
    return coarse.look


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), at=st.integers(120, 500))
def test_seen_coarse_a_stream_is_what_it_is_at_a_quicker_pace(seed: int, at: int) -> None:
    some = blocks(seed, at)
    for look in looks(some, at):
        expected = [(n, lag) for n, lag in zip(COARSE, COARSE_LAGS[look.lag], strict=True) if lag]
        assert len(look.coarse) == len([n for n, _ in expected if look.candidate // n >= 8])
        for coarse, (n, lag) in zip(map(seen, look.coarse), expected, strict=False):
            assert (coarse.candidate, coarse.lag) == (look.candidate // n, lag)
            ring = BlockRing(PLAN.ends, PLAN.views)
            for block in some[: at // n * n].reshape(-1, n, some.shape[1]).mean(axis=1):
                ring.append(block)
            (alone,) = ring.look([(coarse.candidate, coarse.lag)])
            # How far apart blocks usually are is taken from the fine ones, which bounds the least distances elsewhere.
            assert np.mean(np.abs(coarse.maps - alone.maps) < 0.01) > 0.99
            assert coarse.first_piece == alone.first_piece
            assert not coarse.far.any()


def test_what_is_known_coarse_has_come() -> None:
    for lag in LAGS:
        for blocks, coarse in zip(COARSE, map(int, COARSE_LAGS[lag]), strict=True):
            assert coarse == 0 or coarse in LAGS
            for count in range(100, 110):
                assert count // blocks - (count - lag) // blocks >= coarse
            assert pieces_known(lag) > pieces_known(coarse) or not coarse
    assert (np.diff(COARSE_WEIGHTS, axis=0) >= 0.0).all()
    assert [weights_of(lag) for lag in (4, 6, 15, 30)] == [[0.0, 0.0], [0.125, 0.0], [0.25, 0.0], [0.5, 0.25]]


@pytest.mark.parametrize(("candidate", "count"), [(8, 0), (15, 0), (16, 1), (31, 1), (32, 2)])
def test_near_the_beginning_there_are_fewer_coarse_looks(candidate: int, count: int) -> None:
    assert [len(look.coarse) for look in looks(blocks(1, 80), candidate + 30, (30,))] == [count]


def test_log_odds_are_a_mean_of_all() -> None:
    network = BoundaryNetwork(packaged_network())

    def log_odds(some: list[Look]) -> NDArray[np.float64]:
        likely = network(some).astype(np.float64)
        return np.asarray(np.log(likely / (1.0 - likely)))

    for seed in range(4):
        some = looks(blocks(seed, 200), 200)
        assert [len(look.coarse) for look in some] == [0, 1, 2]
        expected = log_odds([replace(look, coarse=()) for look in some])
        for row, look in enumerate(some):
            for weight, coarse in zip(weights_of(look.lag), look.coarse, strict=False):
                expected[row] += weight * (log_odds([seen(coarse)])[0] - expected[row])
        alone = [network([replace(look, coarse=tuple(map(copy, look.coarse)))])[0] for look in some]
        np.testing.assert_allclose(log_odds(some), expected, atol=1e-3)
        assert all(coarse.look is None for look in some for coarse in look.coarse)  # it has been said
        assert network(some).tolist() == alone


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), begins=st.integers(40, 80), lag=st.sampled_from([15, 30]))
def test_a_coarse_block_is_looked_at_once_for_all_its_candidates(seed: int, begins: int, lag: int) -> None:
    network, some = BoundaryNetwork(packaged_network()), blocks(seed, 130)
    ring, coarse = BlockRing(PLAN.ends, PLAN.views), CoarseRings(PLAN.ends, PLAN.views)
    said: dict[tuple[int, int], float] = {}
    for at, block in enumerate(some, start=1):
        ring.append(block)
        coarse.append(ring)
        if at < begins + lag:
            continue
        [look] = coarse.beside(ring.look([(at - lag, lag)]), ring)
        for blocks_each, one in zip(COARSE, look.coarse, strict=False):
            key = blocks_each, look.candidate // blocks_each
            assert (one.look is None) == (key in said)
            if one.look is None:
                assert one.log_odds == said[key]
        network([look])
        coarse.note([look])
        said.update({(n, look.candidate // n): one.log_odds for n, one in zip(COARSE, look.coarse, strict=False)})
        coarse = pickle.loads(pickle.dumps(coarse))
    assert len(said) > 1
    coarse.restart()
    [look] = coarse.beside(ring.look([(len(some) - lag, lag)]), ring)
    assert all(one.look is not None for one in look.coarse)
