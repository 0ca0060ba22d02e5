"""Distances as whole numbers of a few bits: little memory, and sums that have the same bits on every machine."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

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


def _whole_logs() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """By the leading bits of a square, the log distance of the least such; by log distance, the least square of it."""
    exponents = np.arange(_OCTAVES << _BITS, dtype=np.int64)
    least = ((exponents + (_BIAS << _BITS)) << (_MANTISSA - _BITS)).view(np.float64)
    logs = np.array([to_log.py_func(square) for square in least], np.uint8)
    squares = np.full(LARGEST_LOG + 2, np.inf)
    for log in range(1, LARGEST_LOG + 1):
        squares[log] = _least_square(log)
    return logs, squares


def _least_square(log: int) -> float:
    """The least whole square of this log distance, infinity if that is beyond what blocks can be apart."""
    low, high = 0, 1 << (_OCTAVES - 1)
    if to_log.py_func(float(high)) < log:
        return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if to_log.py_func(float(middle)) >= log else (middle, high)
    return float(high)


_MANTISSA, _BIAS = 52, 1023  # of double precision
_BITS, _OCTAVES = 6, 44  # leading bits that are looked at; squares are below 2 to the power of so many
_LOGS, _LEAST = _whole_logs()


@kernel(nogil=True)
def to_logs(squares, out):  # type: ignore[no-untyped-def]
    """`to_log` of whole squares (N,) of double precision, into ``(N,)`` uint8; many times as fast."""
    bits = squares.view(np.int64)
    for i in range(len(squares)):
        if squares[i] < 1.0:
            out[i] = 0
            continue
        log = _LOGS[(bits[i] >> (_MANTISSA - _BITS)) - (_BIAS << _BITS)]
        out[i] = log + (squares[i] >= _LEAST[log + 1])


@kernel(nogil=True)
def floor_of(scale):  # type: ignore[no-untyped-def]
    """Steps of the least log distance in a stream of this mean: a hundredth of it, nothing is nearer."""
    return min(max(round(scale) + _FLOOR, 0), LARGEST_LOG)
