"""Whether two adjoining stretches of a stream differ: a two-sample test that needs no scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def separations(
    squared: NDArray[np.floating], cut: int, end: int, aparts: Sequence[int], neighbours: int
) -> list[float]:
    """How much better than by chance a block's nearest neighbours predict on which side of `cut` it lies.

    1: always; 0: no better than chance, as when both sides are phases of one movement. No scale enters, only the order
    of distances, so that it means the same in every stream. Neighbours less than so many blocks away do not count:
    that motion is smooth says nothing of a change (Theiler 1986). Each side counts the same, whatever its length.
    If there is too little on either side to say, 1.

    It is the nearest-neighbour two-sample test (Schilling 1986; Henze 1988), corrected for chance as Cohen's kappa,
    used for segmentation as in ClaSP (Schafer et al. 2021).

    Args:
        squared: Squared distances between blocks in order of time, (n, n).
        cut: Index of the first block of the second side.
        end: Index after its last one.
        aparts: For each value wanted, blocks between a block and those that may be its neighbours; at most half of
            what follows the cut.
        neighbours: How many neighbours of each block are asked.
    """
    steps = np.arange(end)
    distance = np.abs(steps[:, None] - steps)
    after = steps >= cut
    values: dict[int, float] = {}
    limited = [max(1, min(apart, (end - cut) // 2)) for apart in aparts]
    for apart in set(limited):
        masked = np.where(distance >= apart, squared[:end, :end], np.inf)
        # Of those within `apart`, which do not count, so many lie on each side.
        low, high = np.maximum(steps - apart + 1, 0), np.minimum(steps + apart - 1, end - 1)
        hidden_after = np.maximum(high - np.maximum(low, cut) + 1, 0)
        hidden_before = high - low + 1 - hidden_after
        own = np.where(after, end - cut - hidden_after, cut - hidden_before)
        available = end - (hidden_after + hidden_before)
        asked = (own >= neighbours) & (available - own >= neighbours)
        if not asked.any():
            values[apart] = 1.0
            continue
        nearest = np.argpartition(masked, min(neighbours, end) - 1, axis=1)[:, :neighbours]
        right = (after[nearest] == after[:, None]).mean(axis=1)
        chance = own / np.maximum(available, 1)
        sides = [side for side in (asked & ~after, asked & after) if side.any()]
        values[apart] = sum(
            float((right[side] - chance[side]).sum() / (1.0 - chance[side]).sum()) for side in sides
        ) / len(sides)
    return [values[apart] for apart in limited]


def squared_error_of_mean(blocks: Array, reach: int) -> float:
    """Squared standard error of the mean of `blocks` (n, dim), over all dimensions.

    Successive blocks are not independent: covariances up to `reach` blocks apart are added (Newey & West 1987).
    """
    n = len(blocks)
    if n < 2:
        return 0.0
    rest = blocks - blocks.mean(axis=0)
    total = float(np.square(rest).sum())
    for lag in range(1, min(reach, n)):
        total += 2.0 * (1.0 - lag / reach) * float((rest[lag:] * rest[:-lag]).sum())
    return max(total, 0.0) / n**2
