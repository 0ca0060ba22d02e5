"""Whether joints shake: how fast they move to and fro, compared to how fast they move."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.values.filters import band_pass, filter_all, high_pass, smoothing
from kineseg_core.anomalies.values.held import hold
from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_HIGH_HZ, _BAND_HZ = 8.0, (3.5, 8.0)
_SHAKE_S, _SPEED_S, _TREMBLE_S, _SMOOTH_S, _SLOW_S = 0.15, 0.5, 0.3, 0.1, 0.7
"""Of the means of movement above 8 Hz, of steps, of the band, of a step, and of smoothed steps."""
_SHAKE_HELD_S, _TREMBLE_HELD_S = 0.3, 0.8
_SHAKE_SPEED, _TREMBLE_SPEED = 0.15, 0.1
"""Body heights a second below which a joint counts as still."""


class Shaking(NamedTuple):
    """Of J joints; what has axes has one after another.

    Attributes:
        last: ``(3 J,)`` places in the row before.
        moved: ``(3 J,)`` steps from there to the newest row; nothing is kept in them.
        passed: ``(3 J,)`` what a filter has let through; nothing is kept in it.
        high, band: ``(2, 3 J)`` state of the filters.
        smooth: ``(3 J,)`` smoothed steps.
        powers: ``(4, J)`` mean squares: above 8 Hz, step, band, smoothed step.
        shake_held: ``(n, J)`` the last ratios of the first two, see `hold`.
        tremble_held: ``(m, J)`` of the other two.
        lowest: ``(2, J)`` of both, see there.
        rows: ``(1,)`` so far.
    """

    last: F32
    moved: F32
    passed: F32
    high: F32
    band: F32
    smooth: F32
    powers: F32
    shake_held: F32
    tremble_held: F32
    lowest: F32
    rows: NDArray[np.int64]


class ShakingConstants(NamedTuple):
    """At so many rows a second: coefficients of the filters, and weights of the newest value in the means."""

    high: F64
    band: F64
    weights: F64
    rate: float


def new_shaking(joints: int, rate_hz: float) -> Shaking:
    """Nothing has been seen yet."""

    def zeros(*shape: int) -> F32:
        return np.zeros(shape, np.float32)

    return Shaking(
        last=zeros(3 * joints),
        moved=zeros(3 * joints),
        passed=zeros(3 * joints),
        high=zeros(2, 3 * joints),
        band=zeros(2, 3 * joints),
        smooth=zeros(3 * joints),
        powers=zeros(4, joints),
        shake_held=zeros(max(1, round(_SHAKE_HELD_S * rate_hz)), joints),
        tremble_held=zeros(max(1, round(_TREMBLE_HELD_S * rate_hz)), joints),
        lowest=zeros(2, joints),
        rows=np.zeros(1, np.int64),
    )


def shaking_constants(rate_hz: float) -> ShakingConstants:
    """Of so many rows a second."""
    means_s = (_SHAKE_S, _SPEED_S, _TREMBLE_S, _SMOOTH_S, _SLOW_S)
    return ShakingConstants(
        high_pass(_HIGH_HZ, rate_hz),
        band_pass(*_BAND_HZ, rate_hz),
        np.array([smoothing(seconds, rate_hz) for seconds in means_s]),
        rate_hz,
    )


@kernel(inlined=True)
def see_shaking(places, extent, state, constants, hfr, bpr):  # type: ignore[no-untyped-def]
    """Takes a row of places ``(3 J,)``, and writes hfr and bpr of all joints.

    Loop after loop over few arrays each: so many numbers are reckoned with at once.
    """
    weights = constants.weights
    shake, speed, tremble, smooth, slow = weights[0], weights[1], weights[2], weights[3], weights[4]
    powers, moved, passed = state.powers, state.moved, state.passed
    last, smoothed = state.last, state.smooth
    for k in range(len(places)):
        moved[k] = places[k] - last[k]
        last[k] = places[k]
    for k in range(len(places)):
        smoothed[k] += smooth * (moved[k] - smoothed[k])
    filter_all(places, constants.high, state.high, passed)
    _see_power(powers[0], passed, shake)
    _see_power(powers[1], moved, speed)
    filter_all(places, constants.band, state.band, passed)
    _see_power(powers[2], passed, tremble)
    _see_power(powers[3], smoothed, slow)
    rate, still = np.float32(constants.rate), extent / constants.rate
    row, lowest = state.rows[0], state.lowest
    _see_ratios(state.shake_held, row, powers[0], powers[1], rate, np.float32(_SHAKE_SPEED * still))
    hold(state.shake_held, lowest[0], row, hfr)
    _see_ratios(state.tremble_held, row, powers[2], powers[3], rate, np.float32(_TREMBLE_SPEED * still))
    hold(state.tremble_held, lowest[1], row, bpr)
    state.rows[0] += 1


@kernel(inlined=True)
def _see_power(power, numbers, weight):  # type: ignore[no-untyped-def]
    """Takes numbers of three axes into mean squares ``(J,)``."""
    joints = len(power)
    x, y, z = numbers[:joints], numbers[joints : 2 * joints], numbers[2 * joints :]
    for joint in range(joints):
        power[joint] += weight * (x[joint] * x[joint] + y[joint] * y[joint] + z[joint] * z[joint] - power[joint])


@kernel(inlined=True)
def _see_ratios(held, row, fast, slow, rate, still):  # type: ignore[no-untyped-def]
    """Puts the ratios of two mean squares into a ring."""
    newest = held[row % len(held)]
    for joint in range(len(fast)):
        newest[joint] = math.sqrt(fast[joint]) / (rate * (math.sqrt(slow[joint]) + still))
