"""Smooth curves from which synthetic motion is drawn: repeating key frames and slow random drift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def keyed(phase: Array, *keys: tuple[float, float]) -> Array:
    """A curve that repeats every whole phase and passes smoothly through key values, level at each of them.

    Args:
        phase: Any shape, in cycles.
        keys: ``(phase in [0, 1), value)``, phases increasing.

    Returns:
        The values, same shape as ``phase``.
    """
    at = np.array([keys[-1][0] - 1.0, *(k[0] for k in keys), keys[0][0] + 1.0])
    value = np.array([keys[-1][1], *(k[1] for k in keys), keys[0][1]])
    wrapped = phase - np.floor(phase)
    left = np.clip(np.searchsorted(at, wrapped, side="right") - 1, 0, len(at) - 2)
    share = (wrapped - at[left]) / (at[left + 1] - at[left])
    return np.asarray(value[left] + (value[left + 1] - value[left]) * smooth_step(share))


def smooth_step(share: Array) -> Array:
    """From 0 to 1 with level ends and no jump in acceleration; flat outside [0, 1]."""
    x = np.clip(share, 0.0, 1.0)
    return x**3 * (x * (6.0 * x - 15.0) + 10.0)


class Drift:
    """A slow, smooth, random function of time with mean 0 and standard deviation 1.

    A sum of three sines, so that it and its integral are known at any time, whatever the frame rate.

    Args:
        rng: Drawn from once, at construction.
        count: Number of independent drifts.
        periods_s: Range of the sines' periods.
    """

    def __init__(self, rng: np.random.Generator, count: int, periods_s: tuple[float, float]) -> None:
        self._omega = 2.0 * np.pi / rng.uniform(*periods_s, size=(3, count))
        self._phase = rng.uniform(0.0, 2.0 * np.pi, size=(3, count))

    def at(self, times: Array) -> Array:
        """``(T, count)`` values at ``(T,)`` seconds."""
        angle = times[:, None, None] * self._omega + self._phase
        return np.asarray(np.sqrt(2.0 / 3.0) * np.sin(angle).sum(axis=1))

    def integral(self, times: Array) -> Array:
        """``(T, count)`` integrals from 0 to ``(T,)`` seconds."""
        angle = times[:, None, None] * self._omega + self._phase
        return np.asarray(np.sqrt(2.0 / 3.0) * ((np.cos(self._phase) - np.cos(angle)) / self._omega).sum(axis=1))
