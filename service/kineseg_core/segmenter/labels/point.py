"""A segment as one point: what a clusterer of segments is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def segment_point(blocks: Array, trim: int, reach: int) -> tuple[Array, float]:
    """Mean of a segment's blocks (n, dim) less `trim` at both ends, if enough are left, and its squared standard error.

    The ends are transitions from one action to the next. Blocks up to `reach` apart are taken to be correlated. Of no
    blocks at all the mean is 0.
    """
    if len(blocks) > 2 * trim + 2:
        blocks = blocks[trim : len(blocks) - trim]
    if not len(blocks):
        return np.zeros(blocks.shape[1]), 0.0
    return blocks.mean(axis=0), _squared_error_of_mean(blocks, reach)


def _squared_error_of_mean(blocks: Array, reach: int) -> float:
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
