"""Processes: channels of any meaning that pass through regimes of level, oscillation, noise or a repeated course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from kineseg_training.default.boundary_network.streams.curves import log_uniform, smooth_noise, way
from kineseg_training.default.boundary_network.streams.lengths import Lengths
from kineseg_training.default.boundary_network.streams.stream import Truth

Array = NDArray[np.float64]

RATE = 30.0
"""Frames per second."""

_CHANNELS = (5, 6, 6, 8, 12, 15, 24)
_BLENDS = (0, 3, 8, 15)  # frames in which one regime passes into the next
_RAMP_SHARE, _RAMP_S = 0.15, (2.0, 10.0)  # of processes with slow ramps between regimes, segments of their own
_IDLE_SIZE = 0.1  # of channels that do not take part


@dataclass(frozen=True)
class _Style:
    """What regimes of one process may differ in."""

    level: bool
    oscillation: bool
    noise: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> _Style:
        level, oscillation, noise = rng.random() < 0.6, rng.random() < 0.6, rng.random() < 0.5
        return cls(level, oscillation or not (level or noise), noise)


@dataclass(frozen=True, eq=False)
class _Course:
    """A way through points, over and over."""

    points: Array
    moves_s: Array
    rests_s: Array
    loose: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator, sizes: Array) -> _Course:
        count = int(rng.integers(2, 6))
        parts_s = rng.dirichlet(np.full(count, 3.0)) * log_uniform(rng, 0.6, 6.0)
        moving = rng.uniform(0.3, 1.0)
        points = rng.standard_normal((count, len(sizes))) * sizes * rng.uniform(0.4, 1.5)
        return cls(points, parts_s * moving + 0.1, parts_s * (1.0 - moving), bool(rng.random() < 0.35))


@dataclass(frozen=True, eq=False)
class _Regime:
    """A way for C channels to behave.

    Attributes:
        level: ``(C,)``.
        frequency: Hertz.
        sizes: ``(H, 2, C)`` of cosine and sine of each harmonic.
        noise: ``(C,)`` deviation.
        memory: Of the noise, from one frame to the next, 0 to 1.
        course: A repeated course besides.
        swell: How much oscillation and course vary in size, relative.
    """

    level: Array
    frequency: float
    sizes: Array
    noise: Array
    memory: float
    course: _Course | None
    swell: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, channels: int, style: _Style) -> _Regime:
        """A new one."""
        active = rng.random(channels) < rng.uniform(0.3, 1.0)
        active[rng.integers(channels)] = True
        sizes = np.where(active, 1.0, _IDLE_SIZE)
        level = np.where(active, rng.standard_normal(channels) * rng.uniform(0.5, 2.5), 0.0) * style.level
        harmonics = int(rng.integers(1, 4))
        swings = rng.standard_normal((harmonics, 2, channels)) * sizes * rng.uniform(0.3, 1.5)
        swings /= np.arange(1, harmonics + 1)[:, None, None]
        if not (style.oscillation and rng.random() < 0.85):
            swings *= 0.0
        noise = np.full(channels, log_uniform(rng, 0.03, 0.5))
        if style.noise:
            own = rng.random() < 0.5
            drawn = np.exp(rng.uniform(np.log(0.05), np.log(1.5), channels if own else 1))
            noise = drawn * np.ones(channels)
        course = None
        if rng.random() < 0.4:
            course = _Course.drawn(rng, sizes)
            swings *= rng.uniform(0.0, 0.5)
        made = cls(
            level, log_uniform(rng, 0.15, 3.0), swings, noise, rng.uniform(0.0, 0.9), course, rng.uniform(0.0, 0.3)
        )
        if rng.random() < 0.12:  # at rest
            made = replace(made, sizes=swings * 0.0, noise=np.full(channels, 0.02), course=None)
        return made

    def relative(self, rng: np.random.Generator, style: _Style) -> _Regime:
        """One that differs in a single property."""
        channels = len(self.level)
        sign = float(rng.choice([-1.0, 1.0]))
        match int(rng.integers(4)):
            case 0:
                if style.level:
                    return replace(self, level=_Regime.drawn(rng, channels, style).level)
                return replace(self, level=rng.standard_normal(channels) * rng.uniform(0.5, 2.0))
            case 1:
                return replace(self, sizes=rng.standard_normal(self.sizes.shape) * rng.uniform(0.4, 1.2))
            case 2:
                return replace(self, frequency=self.frequency * np.exp(sign * rng.uniform(0.45, 1.0)))
            case _:
                return replace(self, noise=self.noise * np.exp(sign * rng.uniform(0.8, 1.8)))

    def frames(self, rng: np.random.Generator, white: Array) -> Array:
        """``(T, C)``, its noise made of the `white` one."""
        n, channels = white.shape
        wander = 1.0 + 0.1 * smooth_noise(rng, n, 1, 60.0) + 0.15 * self.swell * smooth_noise(rng, n, 1, 20.0)
        phase = 2.0 * np.pi * np.cumsum(self.frequency * wander[:, 0]) / RATE
        values = np.zeros((n, channels))
        for number, (cosine, sine) in enumerate(self.sizes, start=1):
            values += np.cos(number * phase)[:, None] * cosine + np.sin(number * phase)[:, None] * sine
        if self.course is not None:
            course = self.course
            values += way(rng, n, RATE, course.points, course.moves_s, course.rests_s, loose=course.loose)
        values *= 1.0 + self.swell * smooth_noise(rng, n, 1, 45.0)
        coloured = lfilter([np.sqrt(1.0 - self.memory**2)], [1.0, -self.memory], white, axis=0)
        return np.asarray(self.level + values + coloured * self.noise)


def process(rng: np.random.Generator, counts: Sequence[int] = _CHANNELS) -> tuple[Array, Truth]:
    """``(T, C)`` channels at `RATE`, C one of `counts`, and where one regime passes into the next."""
    channels, style = int(rng.choice(counts)), _Style.drawn(rng)
    pool = _pool(rng, channels, style)
    parts = _plan(rng, len(pool))
    edges = np.round(np.cumsum([0.0, *(seconds for _, seconds in parts)]) * RATE).astype(np.int64)
    blend = int(rng.choice(_BLENDS))
    weights = np.zeros((edges[-1], len(pool)))
    for i, (number, _) in enumerate(parts):
        begin, end = edges[i], edges[i + 1]
        if number is not None:
            weights[begin:end, number] = 1.0
        else:  # from the regime before to the one after
            share = np.linspace(0.0, 1.0, end - begin)
            weights[begin:end, parts[i - 1][0]] += 1.0 - share
            weights[begin:end, parts[i + 1][0]] += share
    if blend:
        weights = gaussian_filter1d(weights, blend / 2.5, axis=0)
    white = rng.standard_normal((edges[-1], channels))
    frames = np.zeros_like(white)
    for weight, regime in zip(weights.T, pool, strict=True):
        frames += weight[:, None] * regime.frames(rng, white)
    if rng.random() < 0.3:
        frames += rng.uniform(0.0, 0.5) * smooth_noise(rng, len(frames), channels, 900.0)
    half = max(blend / 2.0, 0.5) / RATE
    actions = [(parts[i - 1][0], parts[i + 1][0]) if number is None else number for i, (number, _) in enumerate(parts)]
    return frames, Truth.of([(edge / RATE, half) for edge in edges[1:-1]], [1.0] * len(parts), actions)


def _pool(rng: np.random.Generator, channels: int, style: _Style) -> list[_Regime]:
    """Two to six regimes; in half of the processes the others are near relatives of earlier ones."""
    pool = [_Regime.drawn(rng, channels, style)]
    related = rng.random() < 0.5
    for _ in range(int(rng.integers(1, 6))):
        pool.append(
            pool[rng.integers(len(pool))].relative(rng, style) if related else _Regime.drawn(rng, channels, style)
        )
    return pool


def _plan(rng: np.random.Generator, regimes: int) -> list[tuple[int | None, float]]:
    """Which regime for how many seconds, never the same twice in a row; None for a ramp from one to the next."""
    lengths = Lengths.drawn(rng)
    ramps = rng.random() < _RAMP_SHARE
    plan: list[tuple[int | None, float]] = []
    last, left_s = -1, lengths.total_s
    while left_s > lengths.low_s:
        if plan and ramps and rng.random() < 0.6:
            plan.append((None, rng.uniform(*_RAMP_S)))
            left_s = max(left_s - plan[-1][1], lengths.low_s)
        choices = [i for i in range(regimes) if i != last]
        last = choices[rng.integers(len(choices))]
        plan.append((last, min(lengths.one(rng), left_s)))
        left_s -= plan[-1][1]
    return plan
