"""Online kernel change-point detection against a plain offline one that tries every segmentation."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from kineseg_core.segmenter import KernelBoundaries, SegmenterSettings
from numpy.typing import NDArray


class FixedScale:
    """A scale that does not move, so that one kernel holds for the whole sequence."""

    value = 2.0

    def add(self, value: float) -> None: ...

    def refresh(self) -> float:
        return self.value


def cheapest(
    kernel: NDArray[np.float64], allowed: range, shortest: int, penalty: float
) -> tuple[float, tuple[int, ...]]:
    """Cost and boundaries of the best segmentation of all blocks, by trying every choice of boundaries."""

    def cost(a: int, b: int) -> float:
        return (b - a) - float(kernel[a:b, a:b].sum()) / (b - a)

    n = len(kernel)
    found = []
    for k in range(4):
        for cuts in combinations(allowed, k):
            edges = (0, *cuts, n)
            if all(b - a >= shortest for a, b in pairwise(edges[:-1])):
                found.append((sum(cost(a, b) for a, b in pairwise(edges)) + penalty * k, cuts))
    return min(found)


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_trying_everything(seed: int) -> None:
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((4, 5)) * 1.5
    blocks = (np.repeat(means, 8, axis=0) + 0.4 * rng.standard_normal((32, 5))).astype(np.float32).astype(float)
    settings = SegmenterSettings(min_segment_s=0.5, window_s=0.4, horizon_s=10, commit_fraction=1.0)
    online = KernelBoundaries(settings, 5, latency_s=2.5)
    online.squared_distances = FixedScale()  # type: ignore[assignment]
    squared = ((blocks[:, None] - blocks[None]) ** 2).sum(axis=-1)
    kernel = np.exp(squared * (-0.5 / (settings.bandwidth * FixedScale.value)))
    compared = 0
    for t, block in enumerate(blocks, start=1):
        if online.update(block) is not None:
            break  # from here on the past is decided
        penalty = settings.penalty * online.typical_gain
        if penalty > 0:
            allowed = range(max(5, t - 24), t)
            _, cuts = cheapest(kernel[:t, :t], allowed, shortest=5, penalty=penalty)
            assert online.candidate() == (cuts[0] if cuts else None), f"after {t} blocks"
            compared += 1
    assert compared >= 12


def test_nothing_is_found_in_a_constant() -> None:
    online = KernelBoundaries(SegmenterSettings(), 4, latency_s=4.0)
    assert all(online.update(np.ones(4)) is None for _ in range(300))
    assert online.candidate() is None
