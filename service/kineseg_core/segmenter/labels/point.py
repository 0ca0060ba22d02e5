"""A segment as one point: what a clusterer of segments is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPoint:
    """What is known of a segment's blocks, less the transitions at both ends.

    Attributes:
        mean: ``(D,)``.
        error: Squared standard error of the mean, over all dimensions.
        variance: ``(D,)`` of the blocks.
        drift: Squared distance between the means of its two halves.
        length: Blocks of the whole segment.
    """

    mean: Array
    error: float
    variance: Array
    drift: float
    length: int


def segment_point(blocks: Array, trim: int, reach: int, length: int | None = None) -> SegmentPoint:
    """The point of a segment's blocks (n, D) less `trim` at both ends, if enough are left.

    The ends are transitions from one action to the next. Blocks up to `reach` apart are taken to be correlated. Of no
    blocks at all the mean is 0. `length` is that of the segment if `blocks` are only the last ones of it.
    """
    length = len(blocks) if length is None else length
    if len(blocks) > 2 * trim + 2:
        blocks = blocks[trim : len(blocks) - trim]
    n = len(blocks)
    if not n:
        nothing = np.zeros(blocks.shape[1])
        return SegmentPoint(nothing, 0.0, nothing, 0.0, length)
    mean = _mean(blocks)
    rest = blocks - mean
    squares = rest * rest
    half = n // 2
    apart = _mean(blocks[:half]) - _mean(blocks[half:]) if half else np.zeros_like(mean)
    return SegmentPoint(
        mean, _squared_error_of_mean(rest, squares, reach), _mean(squares), float(apart @ apart), length
    )


def _mean(rows: Array) -> Array:
    """Of each column; `np.mean` takes twice as long where there are few."""
    return np.asarray(np.add.reduce(rows, axis=0) / len(rows))


def _squared_error_of_mean(rest: Array, squares: Array, reach: int) -> float:
    """Squared standard error of the mean of blocks, over all dimensions.

    Successive blocks are not independent: covariances up to `reach` blocks apart are added (Newey & West 1987).

    Args:
        rest: ``(n, D)`` blocks less their mean.
        squares: ``(n, D)`` of `rest`.
        reach: In blocks.
    """
    n = len(rest)
    if n < 2:
        return 0.0
    total = float(np.add.reduce(squares, axis=None))
    for lag in range(1, min(reach, n)):
        total += 2.0 * (1.0 - lag / reach) * float(np.add.reduce(rest[lag:] * rest[:-lag], axis=None))
    return max(total, 0.0) / n**2
