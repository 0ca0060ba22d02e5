"""What the boundary network is given of the farther past is what distances between moments say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.boundary_network.far_past import FarPast
from kineseg_core.boundary_network.layout import EDGES, FAR, PATCH_RANGE, PIECES, REACH, STRETCHES, pieces_known
from kineseg_core.boundary_network.log_distance import BLOCK_STEPS, LEAST_LOG, LOG_STEPS
from numpy.typing import NDArray

DIM = 3
SCALE = 100.0  # steps


def steps(blocks: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.round(blocks * BLOCK_STEPS).astype(np.int16)


def after(blocks: NDArray[np.int16]) -> FarPast:
    far = FarPast(blocks.shape[1])
    for count, block in enumerate(blocks):
        far.append(block, count)
    return far


def look(far: FarPast, count: int, candidate: int, lag: int) -> NDArray[np.float32]:
    first, known = np.zeros(1, np.int64), np.array([pieces_known(lag)])
    return far.look(count, SCALE, np.array([candidate]), first, known, np.zeros(1, np.float32))[0]


def expected(blocks: NDArray[np.int16], candidate: int, lag: int) -> NDArray[np.float64]:
    """The same, from the definition."""
    oldest, out = max(0, len(blocks) - REACH), np.zeros((2, PIECES, STRETCHES))
    real = blocks.astype(float) / BLOCK_STEPS
    for piece in range(pieces_known(lag)):
        for stretch in range(STRETCHES):
            nearest = []
            for t in range(max(candidate + int(EDGES[piece]), oldest), candidate + int(EDGES[piece + 1])):
                past = real[max(0, t - FAR[stretch + 1] + 1) : max(0, t - FAR[stretch] + 1)]
                if len(past):
                    distance = np.sqrt(np.square(past - real[t]).sum(axis=1)).min()
                    nearest.append(LOG_STEPS * (np.log(distance + 1e-12) - LEAST_LOG))
            if nearest:
                least = SCALE + LOG_STEPS * np.log(0.01)
                nearness = (np.maximum(nearest, least).mean() - SCALE) / LOG_STEPS
                out[:, piece, stretch] = np.clip(nearness, *PATCH_RANGE), 1.0
    return out


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(80, 450),
    lag=st.sampled_from([4, 15, 30]),
    size=st.floats(0.01, 5.0),
)
def test_it_is_the_distance_to_the_nearest_moment(seed: int, count: int, lag: int, size: float) -> None:
    walk = np.cumsum(size * np.random.default_rng(seed).standard_normal((count, DIM)), axis=0)
    blocks = steps(np.clip(walk, -30.0, 30.0))
    given_to_network, wanted = look(after(blocks), count, count - lag, lag), expected(blocks, count - lag, lag)
    np.testing.assert_array_equal(given_to_network[1], wanted[1])
    np.testing.assert_allclose(given_to_network[0], wanted[0], atol=1.5 / LOG_STEPS)  # both ends are rounded


@pytest.mark.parametrize("period_s", [8.0, 13.0, 20.0, 28.0])
def test_what_comes_round_slowly_has_been_here(period_s: float) -> None:
    count = 420
    turn = 2.0 * np.pi * 0.1 * np.arange(count) / period_s
    cycle = steps(np.stack([np.cos(turn), np.sin(turn), np.cos(3.0 * turn)], axis=1))
    never = steps(np.stack([0.01 * np.arange(count)] * DIM, axis=1))
    assert look(after(cycle), count, 390, 30)[0].min(axis=-1).max() < look(after(never), count, 390, 30)[0].min() - 1.0


def test_after_an_interruption_nothing_of_before_is_there() -> None:
    rng = np.random.default_rng(0)
    before, blocks = (steps(rng.standard_normal((320, DIM))) for _ in range(2))
    far = after(before)
    far.restart()
    for count, block in enumerate(blocks[:150]):
        far.append(block, count)
    np.testing.assert_array_equal(look(far, 150, 120, 30), look(after(blocks[:150]), 150, 120, 30))
    assert not look(far, 150, 120, 30)[1, :, -1].any()


def test_stillness_takes_no_place_in_the_past() -> None:
    rng = np.random.default_rng(1)
    before, blocks = (steps(rng.standard_normal((200, DIM))) for _ in range(2))
    far = after(before)
    for count in range(200, 1000):
        far.append(before[-1], count, still=True)
    for count, block in enumerate(blocks[:REACH]):
        far.append(block, 1000 + count)
    joined = np.concatenate([before, blocks[:REACH]])
    count = 1000 + REACH
    np.testing.assert_array_equal(look(far, count, count - 30, 30), look(after(joined), 200 + REACH, 170 + REACH, 30))
