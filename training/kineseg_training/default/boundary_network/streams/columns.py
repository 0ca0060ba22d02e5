"""Where things lie in a canonical pose: limbs, halves of the body, what a mirror swaps."""

from __future__ import annotations

import numpy as np
from kineseg.motion import CANONICAL_CHANNELS
from numpy.typing import NDArray

Array = NDArray[np.float64]
Columns = NDArray[np.int64]

CHANNELS = len(CANONICAL_CHANNELS)
HEIGHT = CANONICAL_CHANNELS.index("hips.y")
POSTURE = HEIGHT + 1
"""So many columns at the front are posture; the others are speeds of the whole body."""
FIRST_SPEED = POSTURE
JOINTS = HEIGHT // 3
"""Joints beside the hips, three columns each."""


def _of(*prefixes: str) -> Columns:
    return np.array([i for i, channel in enumerate(CANONICAL_CHANNELS) if channel.startswith(prefixes)])


def _limb(side: str, *joints: str) -> Columns:
    return _of(*(f"{side}_{joint}." for joint in joints))


_TRUNK = _of("spine.", "chest.", "neck.", "head.")
LIMBS: tuple[Columns, ...] = (
    *(_limb(side, "shoulder", "elbow", "wrist") for side in ("left", "right")),
    *(_limb(side, "knee", "ankle", "toe") for side in ("left", "right")),
    np.concatenate([_TRUNK, [HEIGHT]]),
)
UPPER: Columns = np.sort(np.concatenate([LIMBS[0], LIMBS[1], _TRUNK]))
"""Arms and trunk."""

_FAR = ("wrist", "elbow", "ankle", "toe")
FAR_JOINTS: NDArray[np.bool_] = np.array([channel.split(".")[0].endswith(_FAR) for channel in CANONICAL_CHANNELS])[
    : 3 * JOINTS : 3
]
"""``(JOINTS,)`` which lie towards the ends of limbs, where cameras err most."""


def joint(name: str) -> slice:
    """The three columns of a joint."""
    first = CANONICAL_CHANNELS.index(f"{name}.x")
    return slice(first, first + 3)


def _mirror() -> tuple[Columns, Array]:
    other = {"left": "right", "right": "left"}
    swapped, signs = [], []
    for channel in CANONICAL_CHANNELS:
        name, axis = channel.split(".")
        side, _, rest = name.partition("_")
        swapped.append(CANONICAL_CHANNELS.index(f"{other[side]}_{rest}.{axis}" if side in other else channel))
        signs.append(-1.0 if axis in ("x", "velocity_x", "yaw_rate") else 1.0)
    return np.array(swapped), np.array(signs)


_SWAPPED, _SIGNS = _mirror()


def mirrored(frames: Array) -> Array:
    """``(..., 59)`` with left and right swapped."""
    return np.asarray(frames[..., _SWAPPED] * _SIGNS)
