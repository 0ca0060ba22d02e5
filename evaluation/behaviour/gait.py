"""Generated motion in which some stretches of walking are done otherwise: with a limp, faster, smaller, or unevenly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from kineseg.motion import Joints, Recording, generate
from kineseg.motion.synthetic import ACTIONS
from kineseg.motion.synthetic.posture import Posture
from numpy.typing import NDArray

Array = NDArray[np.float64]

CHANGES = ("limp", "faster", "smaller", "uneven")
KIND_OF = {
    "limp": "one_sided_cycle",
    "faster": "irregular_cycle",
    "smaller": "irregular_cycle",
    "uneven": "irregular_cycle",
}
RATE_HZ = 30.0
_ACTIONS = ("walk", "squat", "wave", "punch")
_SEGMENT_S = (16.0, 40.0)
USUAL_S = 480.0
"""For so long nothing is changed."""
_EVERY = 3
"""One stretch of walking of so many is changed."""
_BLEND_S = 0.5
_LEFT_SWING = 0.75
_SMALLER = 0.75
_FASTER = 1.25
_UNEVEN = 0.3
"""Standard deviation of the logarithm of the tempo from second to second."""


@dataclass(frozen=True)
class Walk:
    """A recording of someone.

    Attributes:
        positions: ``(T, J, 3)`` what is streamed, at `RATE_HZ`.
        joints: Whose they are.
        changed_s: Where walking is changed: from and to, seconds.
    """

    positions: Array
    joints: Joints
    changed_s: tuple[tuple[float, float], ...]


def walk(seed: int, duration_s: float, change: str = "") -> Walk:
    """Someone who walks and does other things in turn.

    Args:
        seed: Decides everything random.
        duration_s: Of what is generated; what is done faster takes less.
        change: One of `CHANGES`; empty: nothing.
    """
    recording, usual = _generate(seed, duration_s)
    joints, spans = Joints.of(recording), _spans(recording, len(usual))
    if not change:
        return Walk(usual, joints, ())
    if change in ("limp", "smaller"):
        with _walking(_limping if change == "limp" else _small):
            _, other = _generate(seed, duration_s)
        return Walk(_replaced(usual, other, spans), joints, tuple((a / RATE_HZ, b / RATE_HZ) for a, b in spans))
    random = np.random.default_rng((seed, 1))
    tempo = np.ones(len(usual))
    for begin, end in spans:
        seconds = np.arange(end - begin) // round(RATE_HZ)
        uneven = np.exp(random.normal(0.0, _UNEVEN, seconds.max() + 1))
        tempo[begin:end] = _FASTER if change == "faster" else uneven[seconds]
    passed = np.concatenate([[0.0], np.cumsum(1.0 / tempo)[:-1]])  # when each frame is shown
    shown = np.arange(int(passed[-1]))
    at = np.interp(shown, passed, np.arange(len(passed)))
    low = np.floor(at).astype(int)
    weight = (at - low)[:, None, None]
    high = np.minimum(low + 1, len(passed) - 1)
    positions = usual[low] * (1.0 - weight) + usual[high] * weight
    return Walk(positions, joints, tuple((passed[a] / RATE_HZ, passed[b - 1] / RATE_HZ) for a, b in spans))


def _generate(seed: int, duration_s: float) -> tuple[Recording, Array]:
    low, high = _SEGMENT_S
    made = generate(seed, duration_s, RATE_HZ, actions=_ACTIONS, min_segment_s=low, max_segment_s=high)
    assert made.positions is not None
    return made, made.positions


def _spans(recording: Recording, frames: int) -> list[tuple[int, int]]:
    """Frames in which walking is changed: the latter part of some segments, well within them."""
    truth = recording.truth
    assert truth is not None
    ends = [*truth.boundaries[1:], frames]
    late = [
        (begin, end)
        for begin, end, name in zip(truth.boundaries, ends, truth.names, strict=True)
        if name == "walk" and begin > USUAL_S * RATE_HZ
    ]
    return [(begin + (end - begin) // 4, end - round(RATE_HZ)) for begin, end in late[::_EVERY]]


def _replaced(usual: Array, other: Array, spans: list[tuple[int, int]]) -> Array:
    """The usual path of the hips, with the other posture within the spans."""
    weight = np.zeros(len(usual))
    blend = round(_BLEND_S * RATE_HZ)
    for begin, end in spans:
        weight[begin:end] = 1.0
    weight = np.convolve(weight, np.full(blend, 1.0 / blend), mode="same")
    ground = np.array([1.0, 0.0, 1.0])
    moved = other + (usual[:, :1] - other[:, :1]) * ground
    return np.asarray(usual + weight[:, None, None] * (moved - usual))


@contextmanager
def _walking(posture: Callable[[Array, Array, str], Posture]) -> Iterator[None]:
    usual = ACTIONS["walk"]
    ACTIONS["walk"] = replace(usual, posture=posture)
    try:
        yield
    finally:
        ACTIONS["walk"] = usual


_usual_walk = ACTIONS["walk"].posture


def _limping(phase: Array, size: Array, side: str) -> Posture:
    posture = dict(_usual_walk(phase, size, side))
    for joint in ("thigh", "knee"):
        posture[f"left_{joint}_flex"] = _LEFT_SWING * np.asarray(posture[f"left_{joint}_flex"])
    return posture


def _small(phase: Array, size: Array, side: str) -> Posture:
    return _usual_walk(phase, _SMALLER * size, side)
