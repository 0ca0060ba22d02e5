"""Bring frames from their own rate to the model's, causally and without aliasing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kineseg_training.errors import SettingsError

# A tick that should coincide with the last frame may miss it by a rounding error; relative to one frame.
_ROUNDING = 1e-9


def resample(frames: NDArray[np.float64], rate: float, to_rate: float) -> NDArray[np.float64]:
    """The piecewise-linear signal through `frames`, seen at `to_rate`.

    Tick k lies at ``k / to_rate`` seconds after the first frame. Down: the exact mean of the signal over the time
    between the tick before and this one (the first tick is the first frame). Up or equal: the signal's value at the
    tick. Either way a tick uses nothing later than itself, and only ticks within the recording are returned.

    Args:
        frames: ``(T, C)`` at `rate`, T at least 1.
        rate: Frames per second.
        to_rate: Ticks per second.

    Returns:
        ``(T', C)`` with ``T' = floor((T - 1) * to_rate / rate) + 1``.

    Raises:
        SettingsError: A rate that is not a positive number.
    """
    for name, value in (("rate", rate), ("to_rate", to_rate)):
        if not math.isfinite(value) or value <= 0:
            raise SettingsError(f"{name} must be a positive number of frames per second, got {value}")
    last = len(frames) - 1
    step = rate / to_rate
    ticks = np.minimum(np.arange(math.floor(last / step + _ROUNDING) + 1) * step, last)
    if step <= 1.0:
        return _interpolate(frames, ticks)
    integral = _integral(frames, ticks)
    return np.concatenate([frames[:1], np.diff(integral, axis=0) / np.diff(ticks)[:, None]])


def _interpolate(frames: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the piecewise-linear signal at positions `at`, in frames."""
    below = np.minimum(at.astype(np.int64), len(frames) - 1)
    above = np.minimum(below + 1, len(frames) - 1)
    share = (at - below)[:, None]
    return np.asarray(frames[below] * (1.0 - share) + frames[above] * share)


def _integral(frames: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integral of the piecewise-linear signal from frame 0 to positions `at`, in frames."""
    trapezes = np.zeros_like(frames)
    np.cumsum((frames[1:] + frames[:-1]) / 2.0, axis=0, out=trapezes[1:])
    below = np.minimum(at.astype(np.int64), len(frames) - 1)
    share = (at - below)[:, None]
    return trapezes[below] + share * (frames[below] + _interpolate(frames, at)) / 2.0
