"""What one person does again and again in one stream: a movement of some kind, with the habits of who does it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg_training.default.boundary_network.streams.columns import FIRST_SPEED, POSTURE, mirrored
from kineseg_training.default.boundary_network.streams.curves import at_positions, smooth_noise
from kineseg_training.default.boundary_network.streams.library import SOURCES, Library
from kineseg_training.default.boundary_network.streams.movements import (
    Movement,
    OneOff,
    Oscillation,
    Recorded,
    Rest,
    Round,
)

Array = NDArray[np.float64]

_SHARES = {"clips": 0.15, "generated": 0.17, "takes": 0.07, "mocap6": 0.05, "oscillation": 0.06, "rest": 0.08,
           "one-off": 0.13, "cycle": 0.17, "gestures": 0.08, "repetition": 0.08}  # fmt: skip
_WANDERING_SHARE, _PAUSE_SHARE = 0.4, 0.3  # of takes whose tempo wanders, and of those that also pause
_WANDER = 0.2  # of the tempo
_SLOWEST = 0.02


@dataclass(frozen=True, eq=False)
class Action:
    """A movement as one person does it.

    Attributes:
        movement: What is done.
        mirrored: With left and right swapped.
    """

    movement: Movement
    mirrored: bool

    @property
    def once(self) -> bool:
        """Whether it leads from the posture that is to another one, rather than going on and on."""
        return isinstance(self.movement, OneOff)

    @property
    def certainty(self) -> float:
        """How certain it is that no one would see a boundary inside."""
        return self.movement.certainty

    def take(self, rng: np.random.Generator, n: int, tempo: float, start: Array | None) -> Array:
        """``(n, 59)``, see `Movement.take`."""
        if self.mirrored and start is not None:
            start = mirrored(np.concatenate([start, np.zeros(4)]))[:POSTURE]
        frames = self.movement.take(rng, n, tempo, start)
        if self.mirrored:
            frames = mirrored(frames)
        if not self.once and rng.random() < _WANDERING_SHARE:
            frames = _wandering(rng, frames)
        return frames


def draw_action(rng: np.random.Generator, library: Library) -> Action:
    """A random action; of a source that the library lacks there is none."""
    kinds = [kind for kind in _SHARES if kind not in SOURCES or library.names(kind)]
    shares = np.array([_SHARES[kind] for kind in kinds])
    kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())]
    return Action(_movement(rng, library, kind), bool(rng.random() < 0.5))


def _movement(rng: np.random.Generator, library: Library, kind: str) -> Movement:
    match kind:
        case "oscillation":
            return Oscillation.drawn(rng, library)
        case "rest":
            return Rest(library.mixed_posture(rng))
        case "one-off":
            return OneOff.drawn(rng, library)
        case "cycle" | "gestures":
            return Round.drawn(rng, library, loose=kind == "gestures")
        case "repetition":
            return Round.repeated(rng, library)
        case _:
            return Recorded.drawn(rng, library, kind)


def _wandering(rng: np.random.Generator, frames: Array) -> Array:
    """The same with a tempo that wanders, now and then with a pause."""
    n = len(frames)
    tempo = 1.0 + _WANDER * smooth_noise(rng, n, 1, rng.uniform(30.0, 200.0))[:, 0]
    if n > 200 and rng.random() < _PAUSE_SHARE:
        begin = int(rng.integers(30, n - 90))
        tempo[begin : begin + int(rng.integers(15, 60))] *= rng.uniform(0.02, 0.4)
    tempo = np.maximum(tempo, _SLOWEST)
    at = np.cumsum(tempo)
    fit = min(1.0, (n - 1) / at[-1])
    out = at_positions(frames, at * fit)
    out[:, FIRST_SPEED:] *= (tempo * fit)[:, None]
    return out
