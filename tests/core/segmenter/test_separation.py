"""Whether two stretches differ, and how far a mean may be off."""

from __future__ import annotations

import numpy as np
import pytest
from kineseg_core.segmenter.separation import separations, squared_error_of_mean
from numpy.typing import NDArray

RNG = np.random.default_rng(3)


def circle(n: int, period: int, centre: float = 0.0) -> NDArray[np.float64]:
    """A periodic movement of `n` blocks in the plane, with a little noise."""
    angle = 2.0 * np.pi * np.arange(n) / period
    return np.stack([np.cos(angle) + centre, np.sin(angle)], axis=1) + 0.05 * RNG.standard_normal((n, 2))


def separation(blocks: NDArray[np.float64], cut: int, apart: int, neighbours: int) -> float:
    squared = np.square(blocks[:, None] - blocks).sum(axis=2)
    (value,) = separations(squared, cut, len(blocks), [apart], neighbours)
    return value


def test_phases_of_one_movement_do_not_differ() -> None:
    assert separation(circle(96, 17), 60, 12, 3) < 0.3


def test_another_movement_differs() -> None:
    assert separation(np.vstack([circle(60, 17), circle(36, 17, centre=3.0)]), 60, 12, 3) == pytest.approx(1.0)


def test_no_scale_enters() -> None:
    blocks = np.vstack([circle(60, 17), circle(36, 13, centre=0.5)])
    assert separation(1e3 * blocks, 60, 12, 3) == separation(blocks, 60, 12, 3)


def test_each_distance_is_as_if_it_were_asked_alone() -> None:
    blocks = np.vstack([circle(60, 17), circle(36, 13, centre=0.5)])
    squared = np.square(blocks[:, None] - blocks).sum(axis=2)
    alone = [separation(blocks, 60, apart, 3) for apart in (6, 12, 18)]
    assert separations(squared, 60, len(blocks), (6, 12, 18), 3) == alone


@pytest.mark.parametrize(("n", "cut", "apart"), [(2, 1, 1), (6, 3, 12), (20, 19, 5), (1, 0, 1)])
def test_too_little_to_say_does_not_fail(n: int, cut: int, apart: int) -> None:
    assert np.isfinite(separation(circle(n, 17), cut, apart, 3))


def test_error_of_a_mean_of_independent_blocks_is_their_variance_over_their_number() -> None:
    errors = [squared_error_of_mean(RNG.standard_normal((200, 4)), 15) for _ in range(50)]
    assert np.mean(errors) == pytest.approx(4 / 200, rel=0.2)


def test_blocks_that_depend_on_each_other_count_for_less() -> None:
    slow = np.repeat(RNG.standard_normal((40, 4)), 5, axis=0)
    assert squared_error_of_mean(slow, 15) > 2.5 * squared_error_of_mean(RNG.permutation(slow), 15)


def test_one_block_has_no_error_to_speak_of() -> None:
    assert squared_error_of_mean(np.ones((1, 4)), 15) == 0.0
