"""Streams in which nothing happens, or once: noise, drift, a slow ramp, a stopped machine, a person standing still."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from kineseg_training.default.boundary_network.streams.columns import CHANNELS, POSTURE
from kineseg_training.default.boundary_network.streams.curves import eased, log_uniform, smooth_noise
from kineseg_training.default.boundary_network.streams.lengths import LONG_S
from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.stream import BODY_RATE, Truth

Array = NDArray[np.float64]

_SECONDS = (60.0, LONG_S)
_CHANNELS = (5, 6, 6, 8, 12, 24)  # the network is asked about no fewer than 5
_RATES = (15.0, 30.0, 30.0, 60.0)
_ONCE_SHARE = 0.3  # of idle streams in which something happens once
_EDGE_S = 15.0  # it does not happen nearer to either end
_CHANGE_S = (0.1, 0.6)  # how long it takes
_SWAY_S, _SWAY_SIZE = (0.7, 8.0), (0.001, 0.02)  # of a person standing still; body sizes
_BREATH_HZ, _BREATH_SIZE = (0.15, 0.35), (0.0, 0.01)  # body sizes
_TRACKER_NOISE = (0.0003, 0.03)  # body sizes


def idle_channels(rng: np.random.Generator) -> tuple[Array, float, Truth]:
    """``(T, C)`` channels in which nothing happens, or one thing; frames per second; where."""
    rate = float(rng.choice(_RATES))
    n, channels = int(rng.uniform(*_SECONDS) * rate), int(rng.choice(_CHANNELS))
    kinds = (_white, _smooth, _wandering, _wandering, _drift, _ramp, _stopped)
    frames = kinds[rng.integers(len(kinds))](rng, n, channels, rate)
    if rng.random() >= _ONCE_SHARE:
        return frames, rate, Truth.of_one_segment()
    deviation = float(np.diff(frames, axis=0).std()) + 1e-3
    share, truth = _once(rng, n, rate)
    if rng.random() < 0.5:  # another level
        frames = frames + share * rng.standard_normal(channels) * deviation * rng.uniform(4.0, 20.0)
    else:  # a start: something moves from then on
        frames = frames + share * _smooth(rng, n, channels, rate) * deviation * rng.uniform(4.0, 20.0)
    return frames, rate, truth


def idle_body(rng: np.random.Generator, library: Library) -> tuple[Array, float, Truth]:
    """``(T, 59)`` canonical frames of somebody who keeps still, or changes posture once; frames per second; where."""
    n = int(rng.uniform(*_SECONDS) * BODY_RATE)
    posture = library.standing(rng) if rng.random() < 0.5 else library.mixed_posture(rng)
    truth = Truth.of_one_segment()
    postures = np.repeat(posture[None], n, axis=0)
    if rng.random() < _ONCE_SHARE:
        share, truth = _once(rng, n, BODY_RATE)
        postures += share * (library.mixed_posture(rng) - posture)
    sway = smooth_noise(rng, n, POSTURE, rng.uniform(*_SWAY_S) * BODY_RATE)
    postures += sway * log_uniform(rng, *_SWAY_SIZE)
    breath = np.sin(2.0 * np.pi * rng.uniform(*_BREATH_HZ) * np.arange(n) / BODY_RATE)
    postures += breath[:, None] * rng.standard_normal(POSTURE) * rng.uniform(*_BREATH_SIZE)
    noise = log_uniform(rng, *_TRACKER_NOISE)
    frames = np.zeros((n, CHANNELS))
    frames[:, :POSTURE] = postures + noise * rng.standard_normal((n, POSTURE))
    frames[:, POSTURE:] = 4.0 * noise * smooth_noise(rng, n, CHANNELS - POSTURE, rng.uniform(1.0, 6.0))
    return frames, BODY_RATE, truth


def _once(rng: np.random.Generator, n: int, rate: float) -> tuple[Array, Truth]:
    """``(n, 1)`` from 0 to 1 at some moment, and that moment."""
    at = int(rng.uniform(_EDGE_S, n / rate - _EDGE_S) * rate)
    half = max(1, int(rng.uniform(*_CHANGE_S) / 2.0 * rate))
    share = np.zeros((n, 1))
    share[at - half : at + half] = eased(2 * half)
    share[at + half :] = 1.0
    return share, Truth.of([(at / rate, half / rate)], [1.0, 1.0])


Noise = Callable[[np.random.Generator, int, int, float], Array]


def _white(rng: np.random.Generator, n: int, channels: int, rate: float) -> Array:
    sizes = np.exp(rng.uniform(-1.0, 1.0, channels))
    return np.asarray(rng.standard_normal((n, channels)) * sizes)


def _smooth(rng: np.random.Generator, n: int, channels: int, rate: float) -> Array:
    return smooth_noise(rng, n, channels, log_uniform(rng, 0.1, 1.5) * rate)


def _wandering(rng: np.random.Generator, n: int, channels: int, rate: float) -> Array:
    """Noise of first order, each channel with a memory of its own or all with one."""
    memory = log_uniform(rng, 0.1, 3.0) * rate * np.exp(rng.uniform(-0.7, 0.7, channels) * (rng.random() < 0.5))
    keep = np.exp(-1.0 / memory)
    white = rng.standard_normal((n, channels)) * np.sqrt(1.0 - keep**2)
    white[0] = rng.standard_normal(channels)
    return np.stack([lfilter([1.0], [1.0, -k], column) for k, column in zip(keep, white.T, strict=True)], axis=1)


def _drift(rng: np.random.Generator, n: int, channels: int, rate: float) -> Array:
    """Noise on a level that wanders within a minute."""
    slow = smooth_noise(rng, n, channels, rng.uniform(15.0, 60.0) * rate) * log_uniform(rng, 0.5, 10.0)
    return slow + _fine(rng, n, channels, rate)


def _ramp(rng: np.random.Generator, n: int, channels: int, rate: float) -> Array:
    """Noise on a level that rises or falls all the time."""
    slope = rng.standard_normal(channels) * log_uniform(rng, 0.5, 20.0)
    return np.linspace(0.0, 1.0, n)[:, None] * slope + _fine(rng, n, channels, rate)


def _stopped(rng: np.random.Generator, n: int, channels: int, rate: float) -> Array:
    """A machine at rest: constants with the last digit flickering, perhaps with a hum."""
    digit = log_uniform(rng, 1e-3, 1e-1)
    values = rng.standard_normal(channels) + digit * rng.uniform(0.1, 1.0) * rng.standard_normal((n, channels))
    if rng.random() < 0.5:
        hum = 2.0 * np.pi * rng.uniform(0.5, 7.0) * np.arange(n) / rate
        values += digit * rng.uniform(0.2, 2.0) * np.sin(hum)[:, None] * rng.standard_normal(channels)
    return np.asarray(np.round(values / digit) * digit)


def _fine(rng: np.random.Generator, n: int, channels: int, rate: float) -> Array:
    kinds: tuple[Noise, ...] = (_white, _smooth, _wandering)
    return kinds[rng.integers(len(kinds))](rng, n, channels, rate)
