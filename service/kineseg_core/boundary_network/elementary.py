"""Elementary functions of many numbers at once, made of nothing but sums, products and quotients.

Those of a C library have other bits with its version and with the processor, and take one number after the other.
"""

from __future__ import annotations

import numpy as np

from kineseg_core.kernels import kernel

_LARGEST = 20.0  # from where on tanh is 1 to all digits
_SQUARINGS = 6  # so often, after which the series before them is short
_SHARE = 2.0 / (1 << _SQUARINGS)
_SQRT_2, _LN_2 = float(np.sqrt(2.0)), float(np.log(2.0))
_MANTISSA_BITS, _BIAS = 52, 1023  # of double precision
_MANTISSA, _ONE = (1 << _MANTISSA_BITS) - 1, _BIAS << _MANTISSA_BITS


@kernel(nogil=True)
def tanh_all(values):  # type: ignore[no-untyped-def]
    """Writes the hyperbolic tangent of each of ``(N,)`` float64 in its place, to 1e-14."""
    for i in range(len(values)):
        x = _SHARE * min(abs(values[i]), _LARGEST)
        power = 1.0 / 40320.0
        power = power * x + 1.0 / 5040.0
        power = power * x + 1.0 / 720.0
        power = power * x + 1.0 / 120.0
        power = power * x + 1.0 / 24.0
        power = power * x + 1.0 / 6.0
        power = power * x + 0.5
        power = power * x + 1.0
        power = power * x + 1.0
        for _ in range(_SQUARINGS):
            power *= power
        size = 1.0 - 2.0 / (power + 1.0)
        values[i] = size if values[i] >= 0.0 else -size


@kernel(nogil=True)
def log1p_all(values):  # type: ignore[no-untyped-def]
    """Writes the logarithm of 1 more than each of ``(N,)`` float64, not below 0, in its place, to 1e-14."""
    exponents, bits = np.empty(len(values), np.int32), values.view(np.int64)
    for i in range(len(values)):
        values[i] += 1.0
    for i in range(len(values)):
        exponents[i] = (bits[i] >> _MANTISSA_BITS) - _BIAS
        bits[i] = (bits[i] & _MANTISSA) | _ONE
    for i in range(len(values)):
        is_large = values[i] > _SQRT_2
        mantissa = 0.5 * values[i] if is_large else values[i]
        exponent = exponents[i] + 1.0 if is_large else exponents[i] + 0.0
        s = (mantissa - 1.0) / (mantissa + 1.0)
        z = s * s
        series = 1.0 / 17.0
        series = series * z + 1.0 / 15.0
        series = series * z + 1.0 / 13.0
        series = series * z + 1.0 / 11.0
        series = series * z + 1.0 / 9.0
        series = series * z + 1.0 / 7.0
        series = series * z + 0.2
        series = series * z + 1.0 / 3.0
        series = series * z + 1.0
        values[i] = exponent * _LN_2 + 2.0 * s * series
