"""What is seen of a candidate at half the pace, and what that counts beside what is seen fine."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network import BlockRing, BoundaryNetwork, CoarseRing, Look, ViewPlan, packaged_network
from kineseg_core.boundary_network.layout import COARSE_LAGS, COARSE_WEIGHTS, LAGS, pieces_known
from kineseg_core.boundary_network.log_distance import BLOCK_STEPS
from numpy.typing import NDArray

CHANNELS = 6
PLAN = ViewPlan.of_signal(CHANNELS, 0, 10.0)
F32 = NDArray[np.float32]


def blocks(seed: int, count: int) -> F32:
    """``(T, D)`` of a wandering signal; whole numbers of steps, an even one, so that means have none left over."""
    walk = np.cumsum(np.random.default_rng(seed).standard_normal((count, PLAN.dims)), axis=0)
    return (2.0 * np.round(walk * 20.0) / BLOCK_STEPS).astype(np.float32)


def looks(some: F32, at: int, lags: tuple[int, ...] = (4, 15, 30)) -> list[Look]:
    """At candidates so many blocks before the end, after the first `at` blocks."""
    ring, coarse = BlockRing(PLAN.ends, PLAN.views), CoarseRing(PLAN.ends, PLAN.views)
    for i, block in enumerate(some[:at]):
        if i == at // 2:
            ring, coarse = pickle.loads(pickle.dumps((ring, coarse)))
        ring.append(block)
        coarse.append(ring)
    return coarse.beside(ring.look([(at - lag, lag) for lag in lags if at - lag >= 8]), ring)


def weight_of(lag: int) -> float:
    """Of a coarse look after so many coarse blocks."""
    return float(COARSE_WEIGHTS[LAGS.index(lag)])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), at=st.integers(120, 300))
def test_seen_coarse_a_stream_is_what_it_is_at_twice_its_pace(seed: int, at: int) -> None:
    some = blocks(seed, at)
    pairs = (some[: at // 2 * 2 : 2] + some[1 : at // 2 * 2 : 2]) / 2.0
    ring = BlockRing(PLAN.ends, PLAN.views)
    for block in pairs:
        ring.append(block)
    for look in looks(some, at):
        if not COARSE_LAGS[look.lag]:
            assert look.coarse is None
            continue
        assert look.coarse is not None
        assert (look.coarse.candidate, look.coarse.lag) == (look.candidate // 2, COARSE_LAGS[look.lag])
        (alone,) = ring.look([(look.coarse.candidate, look.coarse.lag)])
        # How far apart blocks usually are is taken from the fine ones, which bounds the least distances elsewhere.
        assert np.mean(np.abs(look.coarse.maps - alone.maps) < 0.01) > 0.99
        assert look.coarse.first_piece == alone.first_piece
        assert not look.coarse.far.any()


def test_what_is_known_coarse_has_come() -> None:
    for lag in LAGS:
        coarse = int(COARSE_LAGS[lag])
        assert coarse == 0 or coarse in LAGS
        for count in range(100, 110):
            assert count // 2 - (count - lag) // 2 >= coarse
        assert pieces_known(lag) > pieces_known(coarse) or not coarse
    assert (np.diff(COARSE_WEIGHTS) >= 0.0).all()
    assert weight_of(int(COARSE_LAGS[30])) == 0.5
    assert weight_of(int(COARSE_LAGS[15])) == 0.25


@pytest.mark.parametrize("candidate", [8, 15])
def test_near_the_beginning_there_is_no_coarse_look(candidate: int) -> None:
    assert [look.coarse for look in looks(blocks(1, 60), candidate + 30, (30,))] == [None]


def test_log_odds_are_a_mean_of_both() -> None:
    network = BoundaryNetwork(packaged_network())

    def log_odds(some: list[Look]) -> NDArray[np.float64]:
        likely = network(some).astype(np.float64)
        return np.asarray(np.log(likely / (1.0 - likely)))

    for seed in range(4):
        some = looks(blocks(seed, 200), 200)
        fine = log_odds([replace(look, coarse=None) for look in some])
        coarse = [look.coarse for look in some]
        assert [one is None for one in coarse] == [True, False, False]
        weights = np.array([0.0 if one is None else weight_of(one.lag) for one in coarse])
        seen = log_odds([one or look for one, look in zip(coarse, some, strict=True)])
        np.testing.assert_allclose(log_odds(some), fine + weights * (seen - fine), atol=1e-3)
        assert network(some[1:2]) == network(some)[1:2]
