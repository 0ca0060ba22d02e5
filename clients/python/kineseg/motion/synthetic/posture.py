"""A posture in words that an action can be written in, and its joint rotations.

A posture is one number per entry of `ENTRIES`: angles in radians, lengths in metres, speeds in metres or radians per
second. Angles are zero in a person who stands upright with the arms hanging; flexing moves a limb forward (a knee:
backward), out moves it away from the body, ``in`` turns it inward.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.joint_mapping import CANONICAL_JOINTS
from kineseg.motion.kinematics import matrices_from_euler
from kineseg.motion.synthetic.body import split_side

Array = NDArray[np.float64]
Posture = Mapping[str, Array | float]

_SIDED = {
    "shoulder_flex": 0.0,
    "shoulder_out": 0.12,
    "shoulder_across": 0.0,  # about the vertical, towards the other side
    "shoulder_in": 0.0,
    "elbow_flex": 0.25,
    "thigh_flex": 0.04,  # from the vertical, however the pelvis leans
    "thigh_out": 0.03,
    "knee_flex": 0.08,
    "toe_up": 0.0,  # of the foot, from the floor
}
_WHOLE = {
    "lean": 0.02,  # pelvis forward
    "lean_side": 0.0,  # pelvis to the left
    "pelvis_turn": 0.0,  # to the left
    "back_bend": 0.03,
    "back_turn": 0.0,
    "back_side": 0.0,
    "head_nod": 0.0,
    "head_turn": 0.0,
    "lift": 0.0,  # of the lowest point of a foot above the floor
    "speed": 0.0,  # forward, where `glide` is 1
    "glide": 0.0,  # 0: feet on the floor stay where they are and so carry the body; 1: it moves at `speed`
    "turn_rate": 0.0,  # to the left
}
REST: dict[str, float] = {**_WHOLE, **{f"{side}_{k}": v for side in ("left", "right") for k, v in _SIDED.items()}}
ENTRIES: tuple[str, ...] = tuple(REST)
COLUMN = {entry: i for i, entry in enumerate(ENTRIES)}
ANGLE_COLUMNS = tuple(i for e, i in COLUMN.items() if e not in ("lift", "speed", "glide", "turn_rate"))


def posture_array(posture: Posture, n_frames: int) -> Array:
    """``(n_frames, len(ENTRIES))``; what the posture does not name is at rest."""
    unknown = set(posture) - set(REST)
    if unknown:
        raise KeyError(f"no posture entry {sorted(unknown)}")
    out = np.empty((n_frames, len(ENTRIES)))
    for entry, column in COLUMN.items():
        out[:, column] = posture.get(entry, REST[entry])
    return out


def joint_rotations(postures: Array, heading: Array) -> Array:
    """Rotations of every canonical joint relative to its parent.

    Args:
        postures: ``(T, len(ENTRIES))``.
        heading: ``(T,)`` radians, to the left.

    Returns:
        ``(T, 19, 3, 3)``.
    """
    n_frames = len(postures)
    rotations = np.empty((n_frames, len(CANONICAL_JOINTS), 3, 3))
    rotations[:] = np.eye(3)

    def entry(name: str) -> Array:
        return postures[:, COLUMN[name]]

    def euler(order: str, *angles: Array) -> Array:
        return matrices_from_euler(np.stack(angles, axis=1), order)

    # x points to the left, y up, z forward: a turn about x tips what is up forward and what hangs down backward.
    lean = entry("lean")
    rotations[:, 0] = euler("YXZ", heading + entry("pelvis_turn"), lean, -entry("lean_side"))
    for name in ("spine", "chest"):
        half = euler("YXZ", entry("back_turn") / 2, entry("back_bend") / 2, -entry("back_side") / 2)
        rotations[:, CANONICAL_JOINTS.index(name)] = half
    rotations[:, CANONICAL_JOINTS.index("neck")] = euler("YX", entry("head_turn"), entry("head_nod"))
    for index, name in enumerate(CANONICAL_JOINTS):
        side, joint = split_side(name)
        mirror = -1.0 if side == "right" else 1.0
        thigh, knee = (entry(f"{side}_thigh_flex"), entry(f"{side}_knee_flex")) if side else (lean, lean)
        if joint == "shoulder":
            rotations[:, index] = euler(
                "YZXY",
                -mirror * entry(f"{side}_shoulder_across"),
                mirror * entry(f"{side}_shoulder_out"),
                -entry(f"{side}_shoulder_flex"),
                -mirror * entry(f"{side}_shoulder_in"),
            )
        elif joint == "elbow":
            rotations[:, index] = euler("X", -entry(f"{side}_elbow_flex"))
        elif joint == "hip":
            rotations[:, index] = euler("XZ", -thigh - lean, mirror * entry(f"{side}_thigh_out") + entry("lean_side"))
        elif joint == "knee":
            rotations[:, index] = euler("X", knee)
        elif joint == "ankle":
            rotations[:, index] = euler("X", thigh - knee - entry(f"{side}_toe_up"))
    return rotations
