"""Whether the shape of a body changes: how far its bones are from their usual lengths."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.values.filters import band_pass, filter_all, smoothing
from kineseg_core.anomalies.values.median import median_of_few
from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_BAND_HZ = (3.5, 8.0)
_BONE_S, _STRAIN_S, _TREMBLE_S, _SLIP_S = 0.1, 0.6, 0.8, 0.7
_SHORTEST_BONE = 0.015
"""Body heights; the logarithm of anything that is usually shorter says nothing."""
_ZERO = 1e-24
_MOST_AT_ONCE = np.float32(5.0)
LEAST_DEVIATION = 0.0015
"""Below it a deviation is as good as none."""
_LEAST_SQUARE = np.float32(LEAST_DEVIATION**2)


class Shape(NamedTuple):
    """Of B bones.

    Attributes:
        lengths: ``(B,)`` log lengths.
        deviations: ``(B,)`` of these from their baseline; NaN: unknown.
        known: ``(B,)`` the same, 0 where unknown; nothing is kept in it.
        trembling: ``(B,)`` the band of these; nothing is kept in it.
        band: ``(2, B)`` state of the band-pass filter.
        means: ``(4, B)`` mean square deviations of 0.1 and 0.6 s, of their band of tremors, and mean deviation.
        common: ``(2,)`` median deviation, and smoothed.
    """

    lengths: F32
    deviations: F64
    known: F32
    trembling: F32
    band: F32
    means: F32
    common: F64


class ShapeConstants(NamedTuple):
    """Coefficients of the filter, and weights of the newest value in the means."""

    band: F64
    weights: F64


def new_shape(bones: int) -> Shape:
    """Nothing has been seen yet."""
    return Shape(
        lengths=np.zeros(bones, np.float32),
        deviations=np.full(bones, np.nan),
        known=np.zeros(bones, np.float32),
        trembling=np.zeros(bones, np.float32),
        band=np.zeros((2, bones), np.float32),
        means=np.zeros((4, bones), np.float32),
        common=np.zeros(2),
    )


def shape_constants(rate_hz: float) -> ShapeConstants:
    """Of so many rows a second."""
    means_s = (_BONE_S, _STRAIN_S, _TREMBLE_S, _SLIP_S)
    weights = np.array([smoothing(seconds, rate_hz) for seconds in means_s])
    return ShapeConstants(band_pass(*_BAND_HZ, rate_hz), weights)


@kernel(inlined=True)
def measure(frame, bones, extent, baseline, state):  # type: ignore[no-untyped-def]
    """Log lengths of the bones in a frame ``(3, J)`` whose ends are known and usually not in one place."""
    for b in range(len(bones)):
        joint, parent = bones[b]
        square = 0.0
        for axis in range(3):
            square += (frame[axis, joint] - frame[axis, parent]) ** 2
        if math.isnan(baseline[b]) and square < (_SHORTEST_BONE * extent) ** 2:
            square = math.nan
        state.lengths[b] = 0.5 * math.log(square + _ZERO)


@kernel(inlined=True)
def see_shape(baseline, state, constants, values):  # type: ignore[no-untyped-def]
    """Writes bone, strain, tremble, slip and scale."""
    weights = constants.weights
    bone, strain, tremble, slip = weights[0], weights[1], weights[2], weights[3]
    deviations, known, trembling, bones = state.deviations, state.known, state.trembling, len(state.lengths)
    n_known = 0
    for b in range(bones):
        deviation = state.lengths[b] - baseline[b]
        deviations[b] = deviation
        is_known = not math.isnan(deviation)
        known[b] = deviation if is_known else 0.0
        n_known += is_known
    filter_all(known, constants.band, state.band, trembling)
    _see_square(state.means[0], known, bone, values[:bones])
    _see_square(state.means[1], known, strain, values[bones : 2 * bones])
    means = state.means[2]
    for b in range(bones):  # a jump is no tremor: one value can only add so much
        most = _MOST_AT_ONCE * (means[b] + _LEAST_SQUARE)
        trembling[b] = min(abs(trembling[b]), math.sqrt(most))
    _see_square(means, trembling, tremble, values[2 * bones : 3 * bones])
    means, slips = state.means[3], values[3 * bones :]
    for b in range(bones):
        means[b] += slip * (known[b] - means[b])
        slips[b] = abs(means[b])
    state.common[0] = median_of_few(deviations) if n_known else 0.0
    state.common[1] += bone * (state.common[0] - state.common[1])
    values[4 * bones] = abs(state.common[1])


@kernel(inlined=True)
def _see_square(mean, numbers, weight, values):  # type: ignore[no-untyped-def]
    """Takes numbers into their mean squares, and writes the roots of these."""
    for b in range(len(mean)):
        mean[b] += weight * (numbers[b] * numbers[b] - mean[b])
        values[b] = math.sqrt(mean[b])
