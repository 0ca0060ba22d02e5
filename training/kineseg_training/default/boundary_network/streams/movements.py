"""Ways of moving, each as canonical frames: recorded, oscillating, at rest, going round through postures, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kineseg_training.default.boundary_network.streams.columns import (
    CHANNELS,
    FIRST_SPEED,
    HEIGHT,
    LIMBS,
    POSTURE,
    UPPER,
    Columns,
)
from kineseg_training.default.boundary_network.streams.curves import at_positions, eased, log_uniform, smooth_noise, way
from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.stream import BODY_RATE

Array = NDArray[np.float64]

_VERTICAL_SPEED = FIRST_SPEED + 1
_CLIP_CERTAINTY = 0.5  # a clip of one action by name often holds several
_JOIN = 20  # frames over which two cuts of a take are blended
_LEAST_CUT = 60  # frames
_SWAY_FRAMES, _SWAY_SIZE = (20.0, 90.0), (0.002, 0.015)  # body sizes
_QUICKEST_S = 0.2  # no one gets from one posture to another sooner
_SETTLE = 30  # frames over which sway begins where a movement goes on from the posture before


class Movement(Protocol):
    """A way of moving."""

    @property
    def certainty(self) -> float:
        """0 to 1, how certain it is that no one would see a boundary inside."""

    def take(self, rng: np.random.Generator, n: int, tempo: float, start: Array | None) -> Array:
        """``(n, 59)`` at `BODY_RATE`.

        Args:
            rng: Makes each take differ.
            n: Frames.
            tempo: How fast the person is, 1 as usual.
            start: ``(55,)`` the posture so far; only some movements go on from it.
        """


@dataclass(frozen=True, eq=False)
class Recorded:
    """An action of the library, perhaps with arms and trunk of another and smaller or larger than it was.

    Attributes:
        takes: Of the action.
        tempo: Relative to the takes.
        upper: Takes of the action that arms and trunk do, and its tempo; None for the same.
        amplitude: Factor on the distance from the mean posture.
        certainty: As in `Movement`.
    """

    takes: tuple[Array, ...]
    tempo: float
    upper: tuple[tuple[Array, ...], float] | None
    amplitude: float
    certainty: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, library: Library, source: str) -> Recorded:
        """A random action of a source that the library has."""
        names = library.names(source)
        used = [names[rng.integers(len(names))]]
        tempo = float(np.exp(rng.uniform(-0.25, 0.25)))
        upper = None
        if rng.random() < 0.35:
            used.append(library.names()[rng.integers(len(library.actions))])
            upper = library.actions[used[1]], float(np.exp(rng.uniform(-0.3, 0.3)))
        amplitude = float(rng.uniform(0.5, 1.2)) if rng.random() < 0.3 else 1.0
        clip = any(name.startswith("clips:") for name in used)
        return cls(library.actions[used[0]], tempo, upper, amplitude, _CLIP_CERTAINTY if clip else 1.0)

    def take(self, rng: np.random.Generator, n: int, tempo: float, start: Array | None) -> Array:
        """See `Movement`; begins anywhere in a take."""
        tempo = tempo * float(np.exp(rng.uniform(-0.08, 0.08)))
        frames = _played(rng, self.takes, n, self.tempo * tempo)
        if self.upper is not None:
            takes, own_tempo = self.upper
            frames[:, UPPER] = _played(rng, takes, n, own_tempo * tempo)[:, UPPER]
        if self.amplitude != 1.0:
            mean = frames.mean(axis=0)
            frames = mean + (frames - mean) * self.amplitude * np.exp(rng.uniform(-0.08, 0.08))
        return frames


@dataclass(frozen=True, eq=False)
class Oscillation:
    """Some limbs swinging about a posture with a few harmonics.

    Attributes:
        posture: ``(55,)`` the middle.
        columns: ``(D,)`` what swings.
        frequency: Hertz.
        sizes: ``(H, 2, D)`` of cosine and sine of each harmonic, body sizes.
    """

    posture: Array
    columns: Columns
    frequency: float
    sizes: Array
    certainty: float = 1.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, library: Library) -> Oscillation:
        """Of one to three limbs."""
        columns = _some_limbs(rng)
        harmonics = int(rng.integers(1, 4))
        sizes = rng.standard_normal((harmonics, 2, len(columns))) * rng.uniform(0.03, 0.2)
        sizes /= np.arange(1, harmonics + 1)[:, None, None]
        return cls(library.mixed_posture(rng), columns, log_uniform(rng, 0.15, 2.2), sizes)

    def take(self, rng: np.random.Generator, n: int, tempo: float, start: Array | None) -> Array:
        """See `Movement`; begins at any phase, which wanders."""
        frequency = self.frequency * tempo * np.exp(rng.uniform(-0.08, 0.08))
        wander = 0.05 * np.cumsum(smooth_noise(rng, n, 1, BODY_RATE)[:, 0])
        phase = 2.0 * np.pi * (frequency * np.arange(n) + wander) / BODY_RATE + rng.uniform(0.0, 2.0 * np.pi)
        postures = np.repeat(self.posture[None], n, axis=0)
        for number, (cosine, sine) in enumerate(self.sizes, start=1):
            postures[:, self.columns] += (
                np.cos(number * phase)[:, None] * cosine + np.sin(number * phase)[:, None] * sine
            )
        return _frames(postures + _sway(rng, n))


@dataclass(frozen=True, eq=False)
class Rest:
    """A posture held with a little sway.

    Attributes:
        posture: ``(55,)``; None for the one in which the body is.
    """

    posture: Array | None
    certainty: float = 1.0

    def take(self, rng: np.random.Generator, n: int, tempo: float, start: Array | None) -> Array:
        """See `Movement`."""
        if self.posture is not None:
            return _frames(self.posture + _sway(rng, n))
        assert start is not None, "something must come before it"
        return _frames(start + _sway(rng, n) * _onset(n))


@dataclass(frozen=True, eq=False)
class Round:
    """A compound cycle through postures, or loose gestures between them.

    Attributes:
        points: ``(K, 55)``.
        moves_s, rests_s: ``(K,)`` seconds.
        loose: In any order and with free timing.
    """

    points: Array
    moves_s: Array
    rests_s: Array
    loose: bool
    certainty: float = 1.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, library: Library, *, loose: bool) -> Round:
        """Through two to five postures in 0.8 to 9 s."""
        count = int(rng.integers(2, 6))
        base = library.mixed_posture(rng)
        points = np.repeat(base[None], count, axis=0)
        if rng.random() < 0.35:  # whole postures, or their upper halves, more or less far
            for point in points:
                other, share = library.posture(rng), rng.uniform(0.3, 1.0)
                columns = UPPER if rng.random() < 0.6 else np.arange(POSTURE)
                point[columns] += share * (other[columns] - base[columns])
        else:
            columns = _some_limbs(rng)
            points[:, columns] += rng.standard_normal((count, len(columns))) * rng.uniform(0.05, 0.3)
        parts_s = rng.dirichlet(np.full(count, 3.0)) * log_uniform(rng, 0.8, 9.0)
        moving = rng.uniform(0.4, 1.0)
        return cls(points, parts_s * moving + 0.15, parts_s * (1.0 - moving), loose)

    @classmethod
    def repeated(cls, rng: np.random.Generator, library: Library) -> Round:
        """One movement again and again, with rests between: bows, throws, squats."""
        count = int(rng.integers(2, 4))
        base = library.standing(rng)[:POSTURE] if rng.random() < 0.6 else library.mixed_posture(rng)
        points = np.repeat(base[None], count, axis=0)
        for point in points[1:]:
            other, share = library.posture(rng), rng.uniform(0.4, 1.0)
            point += share * (other - base)
        moves_s = rng.uniform(0.35, 1.3, count)
        rests_s = rng.uniform(0.0, 0.5, count)
        rests_s[0] = log_uniform(rng, 0.2, 3.0)
        return cls(points, moves_s, rests_s, loose=False)

    def take(self, rng: np.random.Generator, n: int, tempo: float, start: Array | None) -> Array:
        """See `Movement`; begins at any of the postures."""
        tempo = tempo * np.exp(rng.uniform(-0.08, 0.08))
        moves_s = np.maximum(self.moves_s, _QUICKEST_S * tempo)
        postures = way(rng, n, BODY_RATE / tempo, self.points, moves_s, self.rests_s, loose=self.loose)
        return _frames(postures + _sway(rng, n))


@dataclass(frozen=True, eq=False)
class OneOff:
    """Once from the posture that is to another: sitting down, standing up, turning to something; or there and back.

    Attributes:
        posture: ``(55,)`` where it leads.
        returns: Whether it comes back, as in picking something up.
        detour: ``(55,)`` how far the middle of the way is off the straight one, body sizes.
    """

    posture: Array
    returns: bool
    detour: Array
    certainty: float = 1.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, library: Library) -> OneOff:
        """To any posture."""
        detour = rng.standard_normal(POSTURE) * rng.uniform(0.0, 0.15)
        return cls(library.mixed_posture(rng), bool(rng.random() < 0.4), detour)

    def take(self, rng: np.random.Generator, n: int, tempo: float, start: Array | None) -> Array:
        """See `Movement`; as slow as `n` makes it."""
        begin = self.posture if start is None else start
        share = eased(n)
        if self.returns:
            turn = int(n * rng.uniform(0.4, 0.6))
            rest = int(n * rng.uniform(0.0, 0.2))
            back = max(n - turn - rest, 0)
            share = np.concatenate([eased(turn), np.ones((rest, 1)), 1.0 - eased(back)])[:n]
        arc = np.sin(np.pi * share) * self.detour * np.exp(0.1 * rng.standard_normal())
        return _frames(begin + (self.posture - begin) * share + arc + _sway(rng, n) * _onset(n))


def _played(rng: np.random.Generator, takes: tuple[Array, ...], n: int, tempo: float) -> Array:
    """``(n, 59)`` cuts of the takes, blended one into the next until there is enough, at a tempo."""
    needed = int(n * tempo) + 3
    out = np.empty((needed + max(len(take) for take in takes), CHANNELS))
    done = 0
    while done < needed:
        take = takes[rng.integers(len(takes))]
        length = min(len(take), max(needed - done + _JOIN, _LEAST_CUT))
        begin = int(rng.integers(len(take) - length + 1))
        cut = take[begin : begin + length]
        join = min(_JOIN, length - 1, done)
        share = eased(join)
        out[done - join : done] += (cut[:join] - out[done - join : done]) * share
        out[done : done + length - join] = cut[join:]
        done += length - join
    frames = at_positions(out[:needed], np.linspace(0.0, (n - 1) * tempo, n))
    frames[:, FIRST_SPEED:] *= tempo
    return frames


def _frames(postures: Array) -> Array:
    """``(n, 59)`` of postures in place: the hips move up and down only."""
    frames = np.zeros((len(postures), CHANNELS))
    frames[:, :POSTURE] = postures
    if len(postures) > 1:
        frames[:, _VERTICAL_SPEED] = np.gradient(postures[:, HEIGHT]) * BODY_RATE
    return frames


def _sway(rng: np.random.Generator, n: int) -> Array:
    return smooth_noise(rng, n, POSTURE, rng.uniform(*_SWAY_FRAMES)) * rng.uniform(*_SWAY_SIZE)


def _onset(n: int) -> Array:
    """``(n, 1)`` from 0 to 1 within `_SETTLE` frames."""
    out = np.ones((n, 1))
    out[:_SETTLE] = eased(_SETTLE)[:n]
    return out


def _some_limbs(rng: np.random.Generator) -> Columns:
    """The columns of one to three limbs, the trunk counting as one."""
    chosen = rng.choice(len(LIMBS), size=int(rng.integers(1, 4)), replace=False)
    return np.sort(np.concatenate([LIMBS[i] for i in chosen]))
