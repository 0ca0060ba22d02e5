"""A few seconds of motion in a few numbers: how large, whether and how regularly it repeats, and its two sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_core.behaviour.cycles.pairs import Pair
from kineseg_core.intake.watch import Place
from kineseg_core.kept.declared import record

Array = NDArray[np.float64]

_SHORTEST_S = 0.25
_REGULAR = 0.4
"""Correlation from which on motion repeats."""
_TROUGH, _NEARLY = 0.1, 0.9
"""How far below a peak the trough before it lies, and how high a first peak is for one that is the highest."""
_NOTHING = 1e-12
"""Added to a mean square, so that what never moved has a size, too."""
_SAME_SIDE = 0.02
"""Share of a pair's mean square speed that is added to both, so that what stands still has no sides."""


@record
@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive frames.

    Attributes:
        start, end: The first frame, and the one after the last.
        period_s: After how many seconds it repeats; None: it does not.
        regularity: Fisher's z of the correlation with itself, that period later.
        size: Logarithm of its root mean square about a line, in units of the stream's own.
        sides: For each pair of limbs the logarithm of the left one's speed to the right one's.
    """

    start: Place
    end: Place
    period_s: float | None
    regularity: float
    size: float
    sides: tuple[float, ...]


def window_of(frames: Array, scale: Array, rate_hz: float, pairs: Sequence[Pair], start: Place, end: Place) -> Window:
    """Sums up frames.

    Args:
        frames: ``(n, C)``
        scale: ``(C,)`` usual deviations; 0: a channel that never moved.
        rate_hz: Frames a second.
        pairs: Limbs of both sides.
        start, end: Of the window.
    """
    moving = scale > 0.0
    flat = _about_a_line(frames[:, moving] / scale[moving])
    lag, correlation = _repetition(flat, max(2, round(_SHORTEST_S * rate_hz)))
    return Window(
        start,
        end,
        lag / rate_hz if correlation >= _REGULAR else None,
        math.atanh(min(correlation, 0.999)),
        0.5 * math.log((float((flat * flat).mean()) if flat.size else 0.0) + _NOTHING),
        tuple(_side(frames, pair) for pair in pairs),
    )


def _about_a_line(values: Array) -> Array:
    """Columns less their own line."""
    time = np.arange(len(values)) - (len(values) - 1) / 2.0
    values = values - values.mean(axis=0)
    slope = time @ values / (time @ time)
    return np.asarray(values - time[:, None] * slope)


def _repetition(values: Array, shortest: int) -> tuple[float, float]:
    """The lag after which all columns together are most alike, in frames, and how much: a correlation, at least 0.

    The sum of the columns' autocorrelations, each lag by the frames that overlap; up to half of the window. What is
    searched is the highest peak behind the first trough, and the first that is nearly as high.
    """
    n = len(values)
    if values.size == 0:
        return 0.0, 0.0
    spectrum = np.fft.rfft(values, 2 * n, axis=0)
    covariance = np.fft.irfft((spectrum * spectrum.conj()).real.sum(axis=1))[: n // 2 + 1]
    covariance /= np.arange(n, n - len(covariance), -1)
    if not covariance[0] > 0.0:
        return 0.0, 0.0
    r = covariance / covariance[0]
    peaks = [lag for lag in range(shortest, len(r) - 1) if r[lag - 1] < r[lag] >= r[lag + 1] and r[lag] > 0.0]
    peaks = [lag for lag in peaks if r[: lag + 1].min() < r[lag] - _TROUGH]
    if not peaks:
        return 0.0, 0.0
    highest = max(r[lag] for lag in peaks)
    lag = next(lag for lag in peaks if r[lag] >= _NEARLY * highest)
    before, here, after = r[lag - 1 : lag + 2]
    bend = before - 2.0 * here + after
    return lag + (0.5 * (before - after) / bend if bend < 0.0 else 0.0), float(here)


def _side(frames: Array, pair: Pair) -> float:
    left, right = (float((np.diff(frames[:, of], axis=0) ** 2).sum(axis=1).mean()) for of in (pair.left, pair.right))
    same = _SAME_SIDE * (left + right) + 1e-12
    return 0.5 * math.log((left + same) / (right + same))
