"""Which way is up: found from the body itself, since files rarely say it and tools disagree.

Over a recording, people stand and walk more than they lie: the head is above the hips and these above the feet. The
direction that this holds along in most frames is up. Where none does (somebody lies, or turns somersaults throughout),
or where a second direction has a claim, the floor decides: along the true vertical the lowest joint is always about as
low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.joint_mapping import find_joints
from kineseg.motion.recording import Recording

Array = NDArray[np.float64]
Number = TypeVar("Number", bound=np.floating)
UpChoice = Literal["y", "z", "auto"]

# Coordinate and sign, and the proper rotation that makes it y or z: (axis taken, sign) for each of x, y and z.
_DIRECTIONS: tuple[tuple[int, float], ...] = ((1, 1.0), (2, 1.0), (1, -1.0), (2, -1.0), (0, 1.0), (0, -1.0))
_TURNS: dict[tuple[int, float], tuple[Literal["y", "z"], tuple[tuple[int, float], ...]]] = {
    (1, 1.0): ("y", ((0, 1.0), (1, 1.0), (2, 1.0))),
    (2, 1.0): ("z", ((0, 1.0), (1, 1.0), (2, 1.0))),
    (1, -1.0): ("y", ((0, 1.0), (1, -1.0), (2, -1.0))),
    (2, -1.0): ("z", ((0, 1.0), (1, -1.0), (2, -1.0))),
    (0, 1.0): ("y", ((1, -1.0), (0, 1.0), (2, 1.0))),
    (0, -1.0): ("y", ((1, 1.0), (0, -1.0), (2, 1.0))),
}
_UPRIGHT = 0.7  # share of a body's length, from feet to head, that a standing one has along the vertical
_MOST_FRAMES, _SOME_FRAMES = 0.5, 0.2
_STEADIER = 0.5  # the floor under one direction moves at most so much as that under the other
_MOST_LOOKED_AT = 5000  # frames, evenly taken


class Standing(NamedTuple):
    """How a body stands.

    Attributes:
        direction: Up: ``y``, ``z``, ``-y``, ``-z``, ``x`` or ``-x``; None where nothing shows it.
        sure: Whether it is certain.
    """

    direction: str | None
    sure: bool


def standing(positions: Array, joints: Sequence[str], mapping: Mapping[str, str]) -> Standing:
    """Which way is up, from how the body stands.

    Args:
        positions: ``(T, J, 3)``, NaN where a joint was not seen.
        joints: J names.
        mapping: Canonical joint -> name in `joints`, where the names do not say it.
    """
    direction, sure = _direction(positions, joints, mapping)
    return Standing(None if direction is None else _name(direction), sure)


def turned(positions: NDArray[Number], direction: str) -> tuple[NDArray[Number], Literal["y", "z"]]:
    """Positions ``(..., 3)`` turned, if need be, so that a vertical axis of `Standing` is y or z; and which."""
    axis, turn = next(turn for key, turn in _TURNS.items() if _name(key) == direction)
    if direction in ("y", "z"):
        return positions, axis
    return np.stack([sign * positions[..., column] for column, sign in turn], axis=-1).astype(positions.dtype), axis


def upright(recording: Recording, up: UpChoice) -> Recording:
    """The recording with its vertical axis settled, and a note on how.

    Args:
        recording: With or without positions; with, as the file has them.
        up: The axis that the user names, or ``auto``.
    """
    if recording.positions is None:
        return recording if up == "auto" else replace(recording, up=up)
    direction, sure = _direction(recording.positions, recording.joints, recording.mapping)
    if up != "auto":
        return replace(recording, up=up, notes=(*recording.notes, *_doubt(direction, sure, up)))
    if direction is None:
        return recording
    if not sure:
        note = "which way is up cannot be seen from the body: y is assumed; --up z (up='z') reads it as z up"
        return replace(recording, notes=(*recording.notes, note))
    axis, turn = _TURNS[direction]
    if direction == (1, 1.0):
        return recording
    name = _name(direction)
    if direction == (2, 1.0):
        return replace(recording, up="z", notes=(*recording.notes, "the body stands along z: read as z up"))
    points = np.stack([sign * recording.positions[..., column] for column, sign in turn], axis=-1)
    note = f"the body stands along {name}: the positions are turned so that {axis} is up"
    return replace(recording, positions=points, up=axis, notes=(*recording.notes, note))


def _doubt(direction: tuple[int, float] | None, sure: bool, up: str) -> tuple[str, ...]:
    if direction is None or not sure or _name(direction) == up:
        return ()
    name = _name(direction)
    remedy = f"--up {name}" if name in ("y", "z") else "leave --up out"
    return (f"read as {up} up, as given, but the body stands along {name}: if the result looks wrong, {remedy}",)


def _name(direction: tuple[int, float]) -> str:
    return ("" if direction[1] > 0 else "-") + "xyz"[direction[0]]


def _direction(
    positions: Array, joints: Sequence[str], mapping: Mapping[str, str]
) -> tuple[tuple[int, float] | None, bool]:
    """Up, and whether it is certain; None where nothing shows it."""
    found = find_joints(joints, mapping)
    top = next((found[joint] for joint in ("head", "neck") if joint in found), None)
    tops = [top] if top is not None else _both(found, "shoulder")
    feet = _both(found, "ankle") or _both(found, "toe") or _both(found, "knee")
    middle = [found["hips"]] if "hips" in found else _both(found, "hip")
    if not tops or not feet or not middle:
        return None, False
    points = positions[:: max(1, len(positions) // _MOST_LOOKED_AT)]
    above, hips, below = (_mean(points, chosen) for chosen in (tops, middle, feet))
    body = above - below
    length = np.linalg.norm(above - hips, axis=1) + np.linalg.norm(hips - below, axis=1)
    seen = np.isfinite(length) & (length > 0)
    if not seen.any():
        return None, False
    along = body[seen] / length[seen, None]
    torso, legs = (above - hips)[seen], (hips - below)[seen]

    def share(direction: tuple[int, float]) -> float:
        axis, sign = direction
        standing = (sign * along[:, axis] > _UPRIGHT) & (sign * torso[:, axis] > 0) & (sign * legs[:, axis] > 0)
        return float(standing.mean())

    shares = {direction: share(direction) for direction in _DIRECTIONS}
    best, second, *_ = sorted(_DIRECTIONS, key=lambda direction: -shares[direction])
    if shares[best] >= _MOST_FRAMES and shares[second] < _SOME_FRAMES:
        return best, True
    if shares[best] < _SOME_FRAMES:
        return best, False
    candidates = [d for d in _DIRECTIONS if shares[d] >= _SOME_FRAMES]
    if len(candidates) == 1:
        # Standing in some frames, lying along no axis in the rest: the floor must bear the standing out.
        others = [d for d in _DIRECTIONS if d[0] != best[0]]
        steady = all(_floor(points, best) <= _STEADIER * _floor(points, other) for other in others)
        return best, steady or shares[best] >= _MOST_FRAMES
    first, other = sorted(candidates, key=lambda d: _floor(points, d))[:2]
    return first, _floor(points, first) <= _STEADIER * _floor(points, other)


def _both(found: Mapping[str, int], joint: str) -> list[int]:
    return [found[f"{side}_{joint}"] for side in ("left", "right") if f"{side}_{joint}" in found]


def _mean(points: Array, joints: Sequence[int]) -> Array:
    """The middle of joints, ``(T, 3)``; NaN where one of them was not seen."""
    return np.asarray(points[:, joints].mean(axis=1))


def _floor(points: Array, direction: tuple[int, float]) -> float:
    """How far the lowest joint moves along a direction."""
    axis, sign = direction
    heights = sign * points[..., axis]
    lowest = np.fmin.reduce(heights, axis=1)
    lowest = lowest[np.isfinite(lowest)]
    return float(np.subtract(*np.percentile(lowest, [90.0, 10.0]))) if len(lowest) else 0.0
