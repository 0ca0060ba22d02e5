"""A segment as one point: what a clusterer of segments is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.segmenter.separation import squared_error_of_mean

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
    return blocks.mean(axis=0), squared_error_of_mean(blocks, reach)
