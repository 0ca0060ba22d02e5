"""Coefficients of the recursive filters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

F64 = NDArray[np.float64]


def smoothing(seconds: float, rate_hz: float) -> float:
    """Weight of the newest value in an exponentially weighted mean over so many seconds."""
    return -math.expm1(-1.0 / (seconds * rate_hz))


def high_pass(hz: float, rate_hz: float) -> F64:
    """Butterworth of order 2 (bilinear transform): ``b0 b1 b2 a1 a2``; of at most 0.45 of the rate."""
    k = math.tan(math.pi * min(hz, 0.45 * rate_hz) / rate_hz)
    norm = 1.0 + math.sqrt(2.0) * k + k * k
    return np.array([1.0, -2.0, 1.0, 2.0 * (k * k - 1.0), 1.0 - math.sqrt(2.0) * k + k * k]) / norm


def band_pass(low_hz: float, high_hz: float, rate_hz: float) -> F64:
    """Butterworth band of order 1 on either side: ``b0 b1 b2 a1 a2``; at most up to 0.45 of the rate."""
    high_hz = min(high_hz, 0.45 * rate_hz)
    low = math.tan(math.pi * min(low_hz, 0.5 * high_hz) / rate_hz)
    high = math.tan(math.pi * high_hz / rate_hz)
    width, middle = high - low, high * low
    norm = 1.0 + width + middle
    return np.array([width, 0.0, -width, 2.0 * (middle - 1.0), 1.0 - width + middle]) / norm


@kernel(inlined=True)
def filter_all(numbers, coefficients, state, passed):  # type: ignore[no-untyped-def]
    """A step of one filter for n numbers.

    Args:
        numbers: ``(n,)``
        coefficients: As of `high_pass`.
        state: ``(2, n)``
        passed: ``(n,)`` written: what is let through.
    """
    b0, b1, b2, a1, a2 = coefficients[0], coefficients[1], coefficients[2], coefficients[3], coefficients[4]
    near, far = state[0], state[1]
    for k in range(len(numbers)):
        y = b0 * numbers[k] + near[k]
        near[k] = b1 * numbers[k] - a1 * y + far[k]
        far[k] = b2 * numbers[k] - a2 * y
        passed[k] = y
