"""The synthetic actions, each one function from phase to posture.

An action is given the phase in cycles, how large it is done (about 1) and which side the person prefers, and names the
entries of the posture that it moves; all others stay at rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.synthetic.curves import keyed
from kineseg.motion.synthetic.posture import Posture

Array = NDArray[np.float64]
SIDES = ("left", "right")


@dataclass(frozen=True)
class Action:
    """A synthetic action: its name, its cycles per second when done normally, and how it looks."""

    name: str
    tempo_hz: float
    posture: Callable[[Array, Array, str], Posture]


ACTIONS: dict[str, Action] = {}


def _action(tempo_hz: float) -> Callable[[Callable[[Array, Array, str], Posture]], Callable[..., Posture]]:
    def register(function: Callable[[Array, Array, str], Posture]) -> Callable[..., Posture]:
        name = function.__name__
        ACTIONS[name] = Action(name, tempo_hz, function)
        return function

    return register


def _other(side: str) -> str:
    return "right" if side == "left" else "left"


def _wave(phase: Array) -> Array:
    return np.asarray(np.cos(2.0 * np.pi * phase))


@_action(tempo_hz=0.25)
def stand(phase: Array, size: Array, side: str) -> Posture:
    """At ease, looking about a little and shifting the weight."""
    return {
        "lean_side": 0.04 * size * _wave(phase),
        "head_turn": 0.35 * size * keyed(phase, (0.0, 0.0), (0.3, 1.0), (0.5, 0.8), (0.8, -0.7)),
        "back_bend": 0.04 + 0.02 * _wave(phase * 1.3),
    }


@_action(tempo_hz=0.95)
def walk(phase: Array, size: Array, side: str) -> Posture:
    """Heel strike of the left foot at phase 0, of the right one at 0.5."""
    posture: dict[str, Array | float] = {
        "lean": 0.05,
        "pelvis_turn": -0.08 * size * _wave(phase),
        "back_turn": 0.16 * size * _wave(phase),
        "lean_side": 0.03 * _wave(phase - 0.2),
    }
    for s, p in zip(SIDES, (phase, phase + 0.5), strict=True):
        posture[f"{s}_thigh_flex"] = size * (0.08 + keyed(p, (0.0, 0.31), (0.52, -0.36), (0.88, 0.37)))
        posture[f"{s}_knee_flex"] = size * keyed(p, (0.0, 0.06), (0.14, 0.28), (0.38, 0.08), (0.71, 1.05), (0.97, 0.06))
        posture[f"{s}_toe_up"] = keyed(p, (0.0, 0.25), (0.09, 0.0), (0.36, 0.0), (0.62, -0.75), (0.85, 0.1))
        posture[f"{s}_shoulder_flex"] = -0.42 * size * _wave(p)
        posture[f"{s}_elbow_flex"] = 0.35 - 0.2 * size * _wave(p)
    return posture


@_action(tempo_hz=1.4)
def run(phase: Array, size: Array, side: str) -> Posture:
    """Bent elbows, heels high behind, both feet off the floor twice a cycle."""
    flight = keyed(phase * 2.0, (0.0, 1.0), (0.25, 0.0), (0.65, 0.0), (0.9, 1.0))
    posture: dict[str, Array | float] = {
        "lean": 0.16,
        "back_bend": 0.08,
        "pelvis_turn": -0.14 * size * _wave(phase),
        "back_turn": 0.34 * size * _wave(phase),
        "lift": 0.06 * size * flight,
        "speed": 2.9 * size,
        "glide": 1.0,
    }
    for s, p in zip(SIDES, (phase, phase + 0.5), strict=True):
        posture[f"{s}_thigh_flex"] = size * (0.12 + keyed(p, (0.0, 0.42), (0.42, -0.5), (0.85, 0.75)))
        posture[f"{s}_knee_flex"] = size * keyed(p, (0.0, 0.35), (0.14, 0.75), (0.38, 0.3), (0.68, 1.9), (0.95, 0.35))
        posture[f"{s}_toe_up"] = keyed(p, (0.0, 0.1), (0.1, 0.0), (0.22, 0.0), (0.5, -1.1), (0.85, 0.0))
        posture[f"{s}_shoulder_flex"] = -0.1 - 0.75 * size * _wave(p)
        posture[f"{s}_elbow_flex"] = 1.5 - 0.25 * _wave(p)
        posture[f"{s}_shoulder_in"] = 0.35
    return posture


@_action(tempo_hz=0.65)
def jump(phase: Array, size: Array, side: str) -> Posture:
    """On the spot: crouch with the arms back, throw them up, fly, land softly."""
    crouch = keyed(phase, (0.0, 0.0), (0.25, 1.0), (0.43, 0.0), (0.68, 0.05), (0.82, 0.7))
    flying = np.clip((phase - np.floor(phase) - 0.41) / 0.29, 0.0, 1.0)
    posture: dict[str, Array | float] = {
        "lean": 0.02 + 0.55 * size * crouch,
        "back_bend": 0.03 + 0.25 * crouch,
        "lift": 0.3 * size * 4.0 * flying * (1.0 - flying),
    }
    for s in SIDES:
        posture[f"{s}_thigh_flex"] = 0.04 + 1.05 * size * crouch
        posture[f"{s}_knee_flex"] = 0.08 + 1.65 * size * crouch
        posture[f"{s}_toe_up"] = keyed(phase, (0.0, 0.0), (0.34, 0.0), (0.47, -0.7), (0.6, -0.5), (0.72, 0.0))
        posture[f"{s}_shoulder_flex"] = size * keyed(phase, (0.0, 0.0), (0.22, -0.6), (0.52, 2.2), (0.84, 0.4))
        posture[f"{s}_elbow_flex"] = 0.4
    return posture


@_action(tempo_hz=0.42)
def squat(phase: Array, size: Array, side: str) -> Posture:
    """Deep knee bends with the arms stretched forward at the bottom."""
    depth = size * keyed(phase, (0.0, 0.0), (0.1, 0.0), (0.45, 1.0), (0.58, 1.0))
    posture: dict[str, Array | float] = {"lean": 0.02 + 0.55 * depth, "back_bend": 0.03 + 0.15 * depth}
    for s in SIDES:
        posture[f"{s}_thigh_flex"] = 0.04 + 1.3 * depth
        posture[f"{s}_knee_flex"] = 0.08 + 1.85 * depth
        posture[f"{s}_thigh_out"] = 0.1 + 0.1 * depth
        posture[f"{s}_shoulder_flex"] = 1.5 * depth
        posture[f"{s}_elbow_flex"] = 0.15
    return posture


@_action(tempo_hz=1.5)
def wave(phase: Array, size: Array, side: str) -> Posture:
    """One hand raised beside the head, swinging left and right."""
    return {
        f"{side}_shoulder_out": 1.45 + 0.12 * size * _wave(phase),
        f"{side}_shoulder_in": -1.45,
        f"{side}_elbow_flex": 1.7 + 0.5 * size * _wave(phase),
        "back_side": 0.04 * _wave(phase),
        "head_turn": 0.2 if side == "left" else -0.2,
    }


@_action(tempo_hz=0.8)
def punch(phase: Array, size: Array, side: str) -> Posture:
    """Boxing: left and right fists in turn from a guard, one foot in front."""
    other = _other(side)
    sign = 1.0 if side == "left" else -1.0
    posture: dict[str, Array | float] = {
        "lean": 0.1,
        f"{other}_thigh_flex": 0.35,
        f"{other}_knee_flex": 0.35,
        f"{side}_thigh_flex": -0.15,
        f"{side}_knee_flex": 0.35,
    }
    turn: Array | float = 0.0
    for s, p in ((side, phase), (other, phase + 0.5)):
        out = size * keyed(p, (0.0, 0.0), (0.1, 0.0), (0.24, 1.0), (0.3, 1.0), (0.48, 0.0))
        posture[f"{s}_shoulder_flex"] = 0.55 + 0.95 * out
        posture[f"{s}_elbow_flex"] = 2.2 - 2.0 * out
        posture[f"{s}_shoulder_in"] = 0.3 - 0.2 * out
        turn = turn + (-sign if s == side else sign) * out
    posture["back_turn"] = 0.5 * turn
    posture["pelvis_turn"] = 0.2 * turn
    return posture


@_action(tempo_hz=0.6)
def kick(phase: Array, size: Array, side: str) -> Posture:
    """Front kicks: knee up, leg out, back down; the arms keep the balance."""
    other = _other(side)
    raised = size * keyed(phase, (0.0, 0.0), (0.12, -0.25), (0.36, 1.0), (0.46, 1.05), (0.75, 0.0))
    return {
        "lean": 0.02 - 0.22 * np.clip(raised, 0.0, None),
        "back_bend": 0.05 + 0.25 * np.clip(raised, 0.0, None),
        f"{side}_thigh_flex": 0.04 + 1.3 * raised,
        f"{side}_knee_flex": keyed(phase, (0.0, 0.1), (0.14, 0.7), (0.29, 1.6), (0.43, 0.15), (0.6, 1.1), (0.8, 0.1)),
        f"{side}_toe_up": keyed(phase, (0.0, 0.0), (0.14, -0.5), (0.42, 0.9), (0.6, 0.3), (0.8, 0.0)),
        f"{other}_knee_flex": 0.25,
        f"{other}_thigh_flex": 0.12,
        f"{side}_shoulder_flex": -0.5 * raised,
        f"{other}_shoulder_flex": 0.7 * raised,
        f"{side}_shoulder_out": 0.45,
        f"{other}_shoulder_out": 0.45,
        f"{side}_elbow_flex": 0.7,
        f"{other}_elbow_flex": 0.9,
    }


@_action(tempo_hz=0.2)
def sit(phase: Array, size: Array, side: str) -> Posture:
    """On a chair that is not drawn, hands on the thighs, shifting a little."""
    posture: dict[str, Array | float] = {
        "lean": -0.05 + 0.06 * size * _wave(phase),
        "back_bend": 0.15,
        "head_nod": 0.15 + 0.15 * size * _wave(phase * 1.7),
    }
    for s in SIDES:
        posture[f"{s}_thigh_flex"] = 1.45
        posture[f"{s}_knee_flex"] = 1.5
        posture[f"{s}_thigh_out"] = 0.12
        posture[f"{s}_shoulder_flex"] = 0.35
        posture[f"{s}_elbow_flex"] = 0.95
        posture[f"{s}_shoulder_in"] = 0.2
    return posture


@_action(tempo_hz=0.9)
def turn(phase: Array, size: Array, side: str) -> Posture:
    """Round and round on the spot with small steps."""
    sign = 1.0 if side == "left" else -1.0
    posture: dict[str, Array | float] = {
        "turn_rate": sign * 1.5 * size,
        "head_turn": sign * 0.35,
        "back_turn": sign * 0.15,
    }
    for s, p in zip(SIDES, (phase, phase + 0.5), strict=True):
        step = keyed(p, (0.0, 0.0), (0.25, 1.0), (0.5, 0.0))
        posture[f"{s}_thigh_flex"] = 0.04 + 0.38 * size * step
        posture[f"{s}_knee_flex"] = 0.08 + 0.75 * size * step
        posture[f"{s}_toe_up"] = -0.3 * step
        posture[f"{s}_shoulder_out"] = 0.3
    return posture


@_action(tempo_hz=1.8)
def clap(phase: Array, size: Array, side: str) -> Posture:
    """Hands together before the chest."""
    apart = size * keyed(phase, (0.0, 0.0), (0.5, 1.0))
    posture: dict[str, Array | float] = {"head_nod": 0.08 * apart}
    for s in SIDES:
        posture[f"{s}_shoulder_flex"] = 0.75
        posture[f"{s}_elbow_flex"] = 1.1
        posture[f"{s}_shoulder_in"] = 0.72 - 0.75 * apart
        posture[f"{s}_shoulder_out"] = 0.1 + 0.12 * apart
    return posture


@_action(tempo_hz=0.3)
def bow(phase: Array, size: Array, side: str) -> Posture:
    """Deep bows from the hips, legs straight, arms along the body."""
    depth = size * keyed(phase, (0.0, 0.0), (0.1, 0.0), (0.42, 1.0), (0.6, 1.0), (0.95, 0.0))
    posture: dict[str, Array | float] = {
        "lean": 0.02 + 0.85 * depth,
        "back_bend": 0.03 + 0.55 * depth,
        "head_nod": 0.3 * depth,
    }
    for s in SIDES:
        posture[f"{s}_thigh_flex"] = 0.02 - 0.12 * depth
        posture[f"{s}_knee_flex"] = 0.04
        posture[f"{s}_shoulder_flex"] = 0.75 * depth
        posture[f"{s}_elbow_flex"] = 0.2
    return posture


@_action(tempo_hz=0.7)
def arm_circles(phase: Array, size: Array, side: str) -> Posture:
    """Both straight arms round and round, forward and up, back and down."""
    posture: dict[str, Array | float] = {"back_bend": 0.03 + 0.06 * _wave(phase)}
    for s in SIDES:
        # It keeps growing; the passage into the next action takes the nearest whole turn off.
        posture[f"{s}_shoulder_flex"] = 2.0 * np.pi * phase
        posture[f"{s}_shoulder_out"] = 0.25 * size
        posture[f"{s}_elbow_flex"] = 0.1
    return posture


@_action(tempo_hz=1.0)
def jumping_jacks(phase: Array, size: Array, side: str) -> Posture:
    """Legs apart and arms overhead, then together again, hopping in between."""
    apart = size * keyed(phase, (0.0, 0.0), (0.12, 0.0), (0.5, 1.0), (0.62, 1.0))
    posture: dict[str, Array | float] = {
        "lift": 0.07 * size * keyed(phase * 2.0, (0.0, 0.0), (0.3, 0.0), (0.6, 1.0), (0.9, 0.0)),
    }
    for s in SIDES:
        posture[f"{s}_thigh_out"] = 0.03 + 0.42 * apart
        posture[f"{s}_shoulder_out"] = 0.12 + 2.55 * apart
        posture[f"{s}_elbow_flex"] = 0.2
        posture[f"{s}_knee_flex"] = 0.15 + 0.15 * keyed(phase * 2.0, (0.0, 1.0), (0.5, 0.0))
        posture[f"{s}_thigh_flex"] = 0.08 + 0.08 * keyed(phase * 2.0, (0.0, 1.0), (0.5, 0.0))
    return posture


@_action(tempo_hz=0.5)
def reach(phase: Array, size: Array, side: str) -> Posture:
    """Picking things from the floor beside the feet and putting them overhead."""
    down = size * keyed(phase, (0.0, 0.0), (0.35, 1.0), (0.45, 1.0), (0.85, 0.0))
    up = size * keyed(phase, (0.0, 1.0), (0.1, 0.8), (0.35, 0.0), (0.5, 0.0), (0.85, 1.0))
    sign = 1.0 if side == "left" else -1.0
    posture: dict[str, Array | float] = {
        "lean": 0.02 + 0.75 * down,
        "back_bend": 0.03 + 0.45 * down - 0.1 * up,
        "back_turn": sign * (0.4 * down - 0.3 * up),
        "head_nod": 0.25 * down - 0.3 * up,
    }
    for s in SIDES:
        posture[f"{s}_thigh_flex"] = 0.04 + 0.75 * down
        posture[f"{s}_knee_flex"] = 0.08 + 1.1 * down
        posture[f"{s}_shoulder_flex"] = 0.3 + 1.1 * down + 2.3 * up
        posture[f"{s}_elbow_flex"] = 0.5 - 0.2 * down
    return posture
