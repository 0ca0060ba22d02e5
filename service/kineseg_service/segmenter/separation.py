"""Whether two adjoining stretches of a stream can be told apart: a self-supervised test with a scale of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def separation(blocks: Array, cut: int, apart: int, neighbours: int) -> float:
    """How much better than by chance a block's nearest neighbours tell on which side of `cut` it lies.

    1: always; 0: no better than chance, as when both sides are phases of one movement. No scale enters, only the order
    of distances, so that one threshold serves every stream. Neighbours less than `apart` blocks away do not count:
    that motion is smooth is no evidence for a change (Theiler 1986). Each side counts the same, whatever its length.
    If there is too little on either side to say, 1.

    It is the nearest-neighbour two-sample test (Schilling 1986; Henze 1988), corrected for chance as Cohen's kappa,
    used for segmentation as in ClaSP (Schafer et al. 2021).

    Args:
        blocks: shape (n, dim), in order of time.
        cut: Index of the first block of the second side.
        apart: Blocks between a block and those that may be its neighbours.
        neighbours: How many neighbours of each block are asked.
    """
    n = len(blocks)
    steps = np.arange(n)
    norms = np.square(blocks).sum(axis=1)
    squared = norms[:, None] + norms - 2.0 * blocks @ blocks.T
    far = np.abs(steps[:, None] - steps) >= apart
    squared[~far] = np.inf
    after = steps >= cut
    available = far.sum(axis=1)
    own = np.where(after, far[:, cut:].sum(axis=1), far[:, :cut].sum(axis=1))
    asked = (own >= neighbours) & (available - own >= neighbours)
    if not asked.any():
        return 1.0
    nearest = np.argpartition(squared, min(neighbours, n) - 1, axis=1)[:, :neighbours]
    right = (after[nearest] == after[:, None]).mean(axis=1)
    chance = own / np.maximum(available, 1)
    sides = (asked & ~after, asked & after)
    values = [float((right[s] - chance[s]).sum() / (1.0 - chance[s]).sum()) for s in sides if s.any()]
    return sum(values) / len(values)


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
