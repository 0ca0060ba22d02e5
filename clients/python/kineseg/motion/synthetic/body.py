"""The synthetic person: a skeleton of the canonical joints in metres, standing with the arms hanging down."""

from __future__ import annotations

import numpy as np

from kineseg.motion.joint_mapping import CANONICAL_JOINTS
from kineseg.motion.skeleton import Skeleton

# Height of ankle and toe above the ground in a foot that stands flat (metres, before scaling).
SOLE = {"ankle": 0.08, "toe": 0.02}

_PARENTS = {
    "spine": "hips",
    "chest": "spine",
    "neck": "chest",
    "head": "neck",
    "shoulder": "chest",
    "elbow": "shoulder",
    "wrist": "elbow",
    "hip": "hips",
    "knee": "hip",
    "ankle": "knee",
    "toe": "ankle",
}
# Offsets on the left side; the right mirrors x. About a person of 1.75 m.
_OFFSETS = {
    "hips": (0.0, 0.0, 0.0),
    "spine": (0.0, 0.10, -0.01),
    "chest": (0.0, 0.17, 0.0),
    "neck": (0.0, 0.18, 0.0),
    "head": (0.0, 0.11, 0.02),
    "shoulder": (0.19, 0.13, 0.0),
    "elbow": (0.0, -0.29, 0.0),
    "wrist": (0.0, -0.26, 0.0),
    "hip": (0.10, -0.05, 0.0),
    "knee": (0.0, -0.44, 0.0),
    "ankle": (0.0, -0.43, 0.0),
    "toe": (0.0, SOLE["toe"] - SOLE["ankle"], 0.16),
}
# Depth of the ankle below the hips in the average person, who is drawn with the offsets as they are.
ANKLE_DEPTH = -sum(_OFFSETS[joint][1] for joint in ("hip", "knee", "ankle"))

# Joints whose offsets grow together.
_BODY_PARTS = (("spine", "chest", "neck", "head"), ("shoulder",), ("elbow", "wrist"), ("hip",), ("knee", "ankle"))


def draw_skeleton(rng: np.random.Generator, *, variation: float = 1.0) -> Skeleton:
    """A person: overall size varies by about 6 %, each part of the body by another 4 %, left and right alike.

    Args:
        rng: Source of randomness.
        variation: Factor on those percentages; 0 gives the average person.
    """

    def draw(deviation: float) -> float:
        return 1.0 + deviation * variation * float(np.clip(rng.standard_normal(), -2.0, 2.0))

    size = draw(0.06)
    scale: dict[str, float] = {}
    for part in _BODY_PARTS:
        scale |= dict.fromkeys(part, draw(0.04))
    parents, offsets = [], []
    for name in CANONICAL_JOINTS:
        side, joint = split_side(name)
        offset = np.array(_OFFSETS[joint]) * size * scale.get(joint, 1.0)
        if side == "right":
            offset[0] = -offset[0]
        parent = _PARENTS.get(joint)
        if parent is not None and f"{side}_{parent}" in CANONICAL_JOINTS:
            parent = f"{side}_{parent}"
        parents.append(-1 if parent is None else CANONICAL_JOINTS.index(parent))
        offsets.append(offset)
    return Skeleton(CANONICAL_JOINTS, tuple(parents), np.array(offsets))


def split_side(name: str) -> tuple[str | None, str]:
    """``left_knee`` -> (``left``, ``knee``); ``hips`` -> (None, ``hips``)."""
    side, _, joint = name.partition("_")
    return (side, joint) if side in ("left", "right") else (None, name)
