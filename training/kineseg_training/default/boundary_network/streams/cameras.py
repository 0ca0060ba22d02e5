"""Bodies as cameras see them: jitter, joints thrown off or frozen, lost frames, times that are not quite so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from kineseg_training.default.boundary_network.streams.columns import FAR_JOINTS, FIRST_SPEED, JOINTS, POSTURE
from kineseg_training.default.boundary_network.streams.curves import at_positions, log_uniform, smooth_noise
from kineseg_training.default.boundary_network.streams.stream import BODY_RATE

Array = NDArray[np.float64]

_SPEEDS = 4
_JITTER = (0.003, 0.05)  # body sizes
_DEPTH_ERROR = (0.01, 0.08)  # body sizes, at the ends of limbs
_DEPTH_FRAMES = (2.0, 15.0)  # over which it changes
_NEAR_SHARE = 0.5  # of that error, at the trunk
_THROWN_OFF = 0.1  # joints a second
_FROZEN = 0.01  # joints a second
_WHEN_S = 0.033  # the grid that a depth camera's times are rounded to
_LATE_S = 0.004  # by which its frames come irregularly, deviation
_LOST_SHARE, _LOST_RUN = (0.0, 0.1), 3.0  # of its frames, and how many in a row on average


def seen_by_camera(rng: np.random.Generator, frames: Array) -> tuple[Array, float]:
    """What a tracker makes of a body.

    Args:
        rng: Draws the tracker: from optical motion capture to a cheap depth camera.
        frames: ``(T, 59)`` canonical at `BODY_RATE`.

    Returns:
        ``(T', 59)`` and its frames per second: 60, 30 or 15.
    """
    depth_camera = rng.random() < 0.35
    out = frames.copy()
    if rng.random() < 0.5:
        _jitter(rng, out)
        if rng.random() < 0.5:
            out = gaussian_filter1d(out, rng.uniform(0.5, 4.0), axis=0)
    if depth_camera:
        _depth_errors(rng, out)
    _freeze(rng, out)
    if depth_camera and rng.random() < 0.6:
        rate = float(rng.choice([15.0, 30.0]))
        return _irregular(rng, out, rate), rate
    return out, BODY_RATE


def _jitter(rng: np.random.Generator, out: Array) -> None:
    """White and coloured noise on every joint, and what that does to the speed of the whole."""
    size, n = log_uniform(rng, *_JITTER), len(out)
    out[:, :POSTURE] += size * rng.standard_normal((n, POSTURE))
    out[:, :POSTURE] += size * rng.uniform() * smooth_noise(rng, n, POSTURE, 12.0)
    out[:, FIRST_SPEED:] += 4.0 * size * smooth_noise(rng, n, _SPEEDS, 3.0)


def _depth_errors(rng: np.random.Generator, out: Array) -> None:
    """Slow errors, larger towards the ends of limbs, and now and then a joint thrown off."""
    n = len(out)
    sizes = np.where(FAR_JOINTS, 1.0, _NEAR_SHARE) * np.exp(0.5 * rng.standard_normal(JOINTS))
    sizes *= log_uniform(rng, *_DEPTH_ERROR)
    out[:, : 3 * JOINTS] += smooth_noise(rng, n, 3 * JOINTS, rng.uniform(*_DEPTH_FRAMES)) * np.repeat(sizes, 3)
    for begin, columns in _incidents(rng, n, _THROWN_OFF):
        end = begin + int(rng.uniform(0.05, 0.6) * BODY_RATE)
        out[begin:end, columns] += rng.standard_normal(3) * rng.uniform(0.05, 0.3)


def _freeze(rng: np.random.Generator, out: Array) -> None:
    """Joints that are lost for a while and stay where they were."""
    for begin, columns in _incidents(rng, len(out), _FROZEN):
        out[begin : begin + int(rng.uniform(0.5, 6.0) * BODY_RATE), columns] = out[begin, columns]


def _incidents(rng: np.random.Generator, n: int, per_second: float) -> list[tuple[int, slice]]:
    """Frames at which something happens to a joint, and its columns."""
    joints = rng.integers(JOINTS, size=rng.poisson(per_second * n / BODY_RATE))
    return [(int(rng.integers(n)), slice(3 * joint, 3 * joint + 3)) for joint in joints]


def _irregular(rng: np.random.Generator, frames: Array, rate: float) -> Array:
    """At a lower rate, with times rounded and lost frames filled in on a straight line."""
    due_s = np.arange(int(len(frames) / BODY_RATE * rate)) / rate
    taken_s = due_s + _LATE_S * rng.standard_normal(len(due_s))
    if rng.random() < 0.5:
        taken_s = np.round(taken_s / _WHEN_S) * _WHEN_S
    seen = at_positions(frames, np.clip(taken_s * BODY_RATE, 0.0, len(frames) - 1.0))
    kept = np.ones(len(due_s), dtype=bool)
    share = rng.uniform(*_LOST_SHARE)
    for begin in np.flatnonzero(rng.random(len(due_s)) < share / _LOST_RUN):
        kept[begin + 1 : begin + 1 + rng.geometric(1.0 / _LOST_RUN)] = False
    kept[[0, -1]] = True
    there = np.flatnonzero(kept)
    return at_positions(seen[there], np.interp(np.arange(len(due_s)), there, np.arange(len(there))))
