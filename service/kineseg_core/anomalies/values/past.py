"""How far the present is from the nearest of a stream's own past: a left discord of blocks.

The left matrix profile (Lu et al. 2022, DAMP) without normalising, on blocks of a quarter second: the distance to the
sixth nearest of about three minutes, the last three seconds left out, each number relative to how much it usually
varies.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_MEMORY_S, _LEFT_OUT_S, _LEAST_HOP_S = 180.0, 3.0, 0.25
_NUMBERS = 6500
"""Of 32 bits that are kept at most: of many channels there are fewer blocks."""
_LEAST_BLOCKS, _MOST_BLOCKS = 60, 720
_FIRST = 8
_NEIGHBOUR = 6
_FARTHEST = 2500.0
_SHARE_OF_MEAN = 0.2
_SCALED_EVERY = 8


@njit(cache=True, error_model="numpy", nogil=True)
def _distance(kept, first, count, block, inverse, nearest):  # type: ignore[no-untyped-def]
    """Distance of `block` to the `_NEIGHBOUR`-th nearest of `count` ones from row `first` of the ring on."""
    nearest[:] = np.inf
    for i in range(count):
        row = kept[(first + i) % len(kept)]
        total = 0.0
        for k in range(len(block)):
            step = (row[k] - block[k]) * inverse[k]
            total += min(step * step, _FARTHEST)
        if total < nearest[-1]:
            at = len(nearest) - 1
            while at > 0 and nearest[at - 1] > total:
                nearest[at] = nearest[at - 1]
                at -= 1
            nearest[at] = total
    used = min(count, len(nearest))
    return np.sqrt(nearest[used - 1] / len(block))


class PastBlocks:
    """Blocks of the last three minutes of one stream. Picklable.

    Args:
        numbers: K numbers of a block.
        rate_hz: Frames a second.
    """

    def __init__(self, numbers: int, rate_hz: float) -> None:
        blocks = min(max(_NUMBERS // numbers, _LEAST_BLOCKS), _MOST_BLOCKS)
        hop_s = max(_LEAST_HOP_S, _MEMORY_S / blocks)
        self._hop = max(1, round(hop_s * rate_hz))
        self._left_out = max(1, round(_LEFT_OUT_S * rate_hz / self._hop))
        self._kept = np.zeros((blocks + self._left_out, numbers), np.float32)
        self._inverse = np.ones(numbers)
        self._nearest = np.empty(_NEIGHBOUR + 1)
        self._frames = 0
        self._blocks = 0
        self._value = 0.0

    def update(self, block: F64) -> float:
        """Takes the ``(K,)`` numbers of the block that ends with a frame; the first half are levels, the rest movement.

        Returns:
            Distance of the last whole block; 0 before there is a past.
        """
        self._frames += 1
        if self._frames % self._hop:
            return self._value
        if self._blocks % _SCALED_EVERY == 0 and self._blocks:
            self._scale()
        size = len(self._kept)
        past = min(self._blocks, size) - self._left_out
        if past >= _FIRST:
            first = (self._blocks - min(self._blocks, size)) % size
            self._value = float(_distance(self._kept, first, past, block, self._inverse, self._nearest))
        self._kept[self._blocks % size] = block
        self._blocks += 1
        return self._value

    def _scale(self) -> None:
        kept = self._kept[: min(self._blocks, len(self._kept))]
        levels = kept.shape[1] // 2
        spread = np.median(np.abs(kept[:, :levels] - np.median(kept[:, :levels], axis=0)), axis=0) + 1e-9
        moves = 2.0 * (np.median(kept[:, levels:], axis=0) + 1e-9)
        self._inverse[:levels] = 1.0 / (spread + _SHARE_OF_MEAN * spread.mean())
        self._inverse[levels:] = 1.0 / (moves + _SHARE_OF_MEAN * moves.mean())
