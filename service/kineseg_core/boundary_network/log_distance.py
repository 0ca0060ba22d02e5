"""Distances as whole numbers of a few bits: little memory, and sums that have the same bits on every machine."""

from __future__ import annotations

import math

from kineseg_core.kernels import kernel

BLOCK_STEPS = 1024.0
"""Steps of a block's numbers to 1; they are kept in 16 bits."""
LOG_STEPS = 18.0
"""Steps of a log distance to a factor of e; they are kept in 8 bits, from `LEAST_LOG` on."""
LEAST_LOG = -8.0
LARGEST_LOG = 255

_FLOOR = round(LOG_STEPS * math.log(0.01))
_NOTHING = 1e-9  # added to a square, so that it has a logarithm


@kernel(nogil=True)
def to_log(square):  # type: ignore[no-untyped-def]
    """Steps of the log distance whose square is so many squared `BLOCK_STEPS`."""
    log = 0.5 * math.log(square + _NOTHING) - math.log(BLOCK_STEPS) - LEAST_LOG
    return min(max(round(LOG_STEPS * log), 0), LARGEST_LOG)


@kernel(nogil=True)
def floor_of(scale):  # type: ignore[no-untyped-def]
    """Steps of the least log distance in a stream of this mean: a hundredth of it, nothing is nearer."""
    return min(max(round(scale) + _FLOOR, 0), LARGEST_LOG)
