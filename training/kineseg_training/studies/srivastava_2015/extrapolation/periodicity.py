"""How rhythmic the activity of units is that run on by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A unit whose deviation is below this (of a range from -1 to 1) has come to rest.
_MOVES = 0.02


@dataclass(frozen=True)
class Rhythm:
    """Of many units in many runs.

    Attributes:
        moving: Share of the units that have not come to rest.
        strength: Median over those of the highest autocorrelation after its first zero: 1 repeats itself exactly, about
            0 does not.
        period: Median lag of that, frames; NaN if none moves.
    """

    moving: float
    strength: float
    period: float


def rhythm(activity: NDArray[np.floating]) -> Rhythm:
    """Find it.

    Args:
        activity: ``(N, T, H)``: runs, frames, units. Periods of up to T / 2 frames are found.
    """
    units = np.swapaxes(activity, 1, 2).reshape(-1, activity.shape[1]).astype(np.float64)
    moving = units.std(axis=1) > _MOVES
    if not moving.any():
        return Rhythm(0.0, 0.0, float("nan"))
    units = units[moving] - units[moving].mean(axis=1, keepdims=True)
    length = units.shape[1]
    spectrum = np.abs(np.fft.rfft(units, 2 * length, axis=1)) ** 2
    lags = np.fft.irfft(spectrum, axis=1)[:, : length // 2 + 1] / (length - np.arange(length // 2 + 1))
    lags /= lags[:, :1]
    # Before the first zero the autocorrelation is high for anything smooth.
    after = np.logical_or.accumulate(lags <= 0, axis=1)
    lags[~after] = 0.0
    best = lags.argmax(axis=1)
    strength = lags.max(axis=1)
    found = strength > 0
    period = float(np.median(best[found])) if found.any() else float("nan")
    return Rhythm(float(moving.mean()), float(np.median(np.minimum(strength, 1.0))), period)
