"""Boundaries between repeating patterns, from blocks alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg_core.generic.pattern_boundaries import PatternBoundaries, PatternSettings
from numpy.typing import NDArray

DIM, BUDGET = 8, 40
Blocks = NDArray[np.float64]


def cycles(lengths: list[tuple[int, int]], *, noise: float = 0.05, seed: int = 0) -> Blocks:
    """Stretches of (blocks, pattern); each pattern is a closed path of its own, of 9 + pattern blocks."""
    random = np.random.default_rng(seed)
    parts = []
    for n, pattern in lengths:
        path = np.random.default_rng(1000 + pattern).standard_normal((9 + pattern, DIM))
        parts.append(np.tile(path, (n // len(path) + 1, 1))[:n])
    blocks = np.concatenate(parts)
    return blocks + noise * random.standard_normal(blocks.shape)


def run(boundaries: PatternBoundaries, blocks: Blocks) -> list[tuple[int, int]]:
    """(boundary, number of blocks when it was decided)."""
    found = []
    for block in blocks:
        boundary = boundaries.update(block)
        if boundary is not None:
            boundaries.accept(boundary)
            found.append((boundary, boundaries.count))
    return found


def test_changes_of_pattern_are_found_and_nothing_else() -> None:
    found = run(PatternBoundaries(PatternSettings(), DIM, BUDGET), cycles([(400, 0), (300, 1), (900, 2), (300, 0)]))
    assert [boundary for boundary, _ in found] == pytest.approx([400, 700, 1600], abs=25)


@pytest.mark.parametrize("budget", [1, 5, 40])
def test_decisions_keep_the_budget(budget: int) -> None:
    found = run(PatternBoundaries(PatternSettings(), DIM, budget), cycles([(300, 0), (300, 1), (300, 2)]))
    assert len(found) == 2
    assert all(0 <= decided - boundary <= budget for boundary, decided in found)


@pytest.mark.parametrize("make", [np.zeros, np.ones])
def test_what_stands_still_has_no_boundaries(make: type[np.ndarray]) -> None:
    assert run(PatternBoundaries(PatternSettings(), DIM, BUDGET), make((2000, DIM))) == []


@given(scale=st.sampled_from([1e-6, 1e-3, 1e3, 1e6]), seed=st.integers(0, 3))
@settings(max_examples=8)
def test_the_scale_of_blocks_does_not_matter(scale: float, seed: int) -> None:
    blocks = cycles([(250, 0), (250, 1)], seed=seed)
    plain = run(PatternBoundaries(PatternSettings(), DIM, BUDGET), blocks)
    scaled = run(PatternBoundaries(PatternSettings(), DIM, BUDGET), blocks * scale)
    assert len(plain) == 1
    assert [boundary for boundary, _ in scaled] == pytest.approx([boundary for boundary, _ in plain], abs=5)


def test_it_can_be_put_away_and_taken_up_again() -> None:
    blocks = cycles([(300, 0), (300, 1), (300, 0)])
    whole = run(PatternBoundaries(PatternSettings(), DIM, BUDGET), blocks)
    kept, found = PatternBoundaries(PatternSettings(), DIM, BUDGET), []
    for start in range(0, len(blocks), 77):
        kept = pickle.loads(pickle.dumps(kept))
        found += run(kept, blocks[start : start + 77])
    assert found == whole


def test_its_memory_is_bounded() -> None:
    boundaries = PatternBoundaries(PatternSettings(), DIM, BUDGET)
    sizes = []
    for part in range(4):
        run(boundaries, cycles([(3000, 0)], seed=part))
        sizes.append(len(pickle.dumps(boundaries)))
    assert max(sizes) - min(sizes) < 100
