"""How boundaries between repeating patterns are found, in numbers: the same for one stream and for a table of them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FARTHEST = np.float32(1e23)
"""No squared distance counts as larger."""
NOT_THERE = np.float32(9e23)
"""In the place of the distance of a neighbour that there is not: larger than any."""
LEAST = np.float32(1e-12)
STRIDE = 137
"""Shares of the largest distance that are added, see `ties`, begin so much later with every block."""
_TIE, _GOLDEN = 1e-7, 0.6180339887498949


class PatternSettings(NamedTuple):
    """Settings of the scan; lengths are in blocks.

    horizon: how much of the open segment is remembered.
    neighbours: of each block.
    apart: how far apart neighbours must at least be: that a signal is smooth does not count (Theiler 1986).
    before, after: the least on either side of a boundary.
    threshold: from which score on there is a boundary in a stream without background.
    background_share: how much of the background is added to that.
    background_prior: the background, as far as it is known before the stream.
    background_prior_blocks, background_blocks: how many blocks that weighs, and over how many it is learned.
    background_lag: scores of the last so many blocks before a boundary belong to the boundary, not to the background.
    correlation: how many blocks count as one independent observation, as far as it is known before the stream.
    correlation_prior: how many stretches of noise that weighs.
    least_correlation: the share of `correlation` that a stream with little noise may bring it down to.
    weight_before: of the earlier side. The later one says something only once its pattern has repeated.
    every: the scan runs every so many blocks.
    """

    horizon: int = 500
    neighbours: int = 3
    apart: int = 20
    before: int = 50
    after: int = 42
    threshold: float = 1.5
    background_share: float = 0.6
    background_prior: float = 0.5
    background_prior_blocks: int = 300
    background_blocks: int = 3000
    background_lag: int = 60
    correlation: float = 10.0
    correlation_prior: float = 5.0
    least_correlation: float = 0.4
    weight_before: float = 0.6
    every: int = 5

    @property
    def background_size(self) -> int:
        """Scores over which the background is learned."""
        return self.background_blocks // self.every

    @property
    def background_known(self) -> int:
        """Scores that count as what is known before the stream."""
        return self.background_prior_blocks // self.every

    @property
    def scores_waiting(self) -> int:
        """Scores that may still turn out to belong to a boundary."""
        return self.background_lag // self.every


@cache
def ties(horizon: int) -> NDArray[np.float32]:
    """Shares of a distance too small to matter, spread evenly, (2 horizon,)."""
    return (_TIE * (np.arange(2 * horizon) * _GOLDEN % 1.0)).astype(np.float32)
