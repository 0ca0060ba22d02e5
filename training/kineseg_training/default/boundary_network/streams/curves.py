"""Curves that motion is made of: eased steps, slow noise, a way through points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_KNOTS = 3.0**0.5  # a cubic B-spline with knots this many deviations apart is as wide as a Gaussian
_SMOOTHEST_DIRECT = 1.0  # frames; noise this fine is averaged over neighbours instead
_OVERSHOOT = 0.7  # of the jitter: how far a point is missed, relative to its distance from the middle of all


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Drawn so that each factor is as likely as another."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def eased(n: int) -> Array:
    """``(n, 1)`` from 0 to 1 with no speed and no acceleration at either end (minimum jerk, Flash and Hogan 1985)."""
    u = np.linspace(0.0, 1.0, n)[:, None]
    return np.asarray(u * u * u * (10.0 - 15.0 * u + 6.0 * u * u))


def smooth_noise(rng: np.random.Generator, n: int, channels: int, scale: float) -> Array:
    """``(n, channels)`` noise of mean 0 and deviation about 1 that changes over `scale` frames.

    It is a cubic B-spline with random coefficients: as smooth as white noise under a Gaussian, at no cost for a long
    one.
    """
    if scale <= _SMOOTHEST_DIRECT:
        white = rng.standard_normal((n + 2, channels))
        return np.asarray((0.5 * white[:-2] + white[1:-1] + 0.5 * white[2:]) / 1.5**0.5)
    knot = _KNOTS * scale
    at = rng.random() + np.arange(n) / knot
    first = at.astype(np.int64)
    u = at - first
    weights = np.stack([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, 1 + 3 * u + 3 * u**2 - 3 * u**3, u**3], axis=1) / 6.0
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    coefficients = rng.standard_normal((int(first[-1]) + 4, channels))
    total = np.zeros((n, channels))
    for k in range(4):
        total += weights[:, k : k + 1] * coefficients[first + k]
    return total


def way(
    rng: np.random.Generator,
    n: int,
    rate: float,
    points: Array,
    moves_s: Array,
    rests_s: Array,
    *,
    loose: bool,
    jitter: float = 0.12,
) -> Array:
    """A way of `n` frames through points: eased moves and rests between them.

    Args:
        rng: Draws where it begins and how each round differs.
        n: Frames.
        rate: Frames per second.
        points: ``(K, D)``, K at least 2.
        moves_s, rests_s: ``(K,)`` seconds of the move to each point and of the rest there.
        loose: In any order and with much freer timing, as in gestures, instead of in a fixed round.
        jitter: How much moves and rests differ from round to round, relative.
    """
    middle = points.mean(axis=0)
    spread_move, spread_rest = (2.5 * jitter, 3.0 * jitter) if loose else (jitter, jitter)
    out = np.empty((n, points.shape[1]))
    at = int(rng.integers(len(points)))
    place, done = points[at], 0
    while done < n:
        step = int(rng.integers(1, len(points))) if loose else 1
        at = (at + step) % len(points)
        move = max(2, int(moves_s[at] * rate * np.exp(spread_move * rng.standard_normal())))
        rest = int(rests_s[at] * rate * np.exp(spread_rest * rng.standard_normal()))
        target = points[at] + (points[at] - middle) * _OVERSHOOT * jitter * rng.standard_normal()
        u = eased(move)[: n - done]
        out[done : done + len(u)] = place + (target - place) * u
        out[done + len(u) : done + len(u) + rest] = target
        done += len(u) + rest
        place = target
    return out


def at_positions(values: Array, at: Array) -> Array:
    """``(N, C)`` rows of `values` at fractional positions `at` (N,), between the first row and the last."""
    below = np.clip(at.astype(np.int64), 0, max(len(values) - 2, 0))
    share = np.clip(at - below, 0.0, 1.0)[:, None]
    return np.asarray(values[below] * (1.0 - share) + values[np.minimum(below + 1, len(values) - 1)] * share)
