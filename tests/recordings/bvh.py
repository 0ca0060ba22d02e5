"""BVH clips of a body with other joints and other proportions, six channels on each of them, 30 frames a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from kineseg.motion import Skeleton
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tests.recordings.person import doing
from tests.recordings.retarget import Aim, retarget

RATE = 30.0
_CENTIMETRE = 0.01
_CHANNELS = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
_END = "OFFSET 0 4 6"
_ARM = (("Shoulder", "Chest", (4.0, 16.0, 0.0)), ("UpperArm", "Shoulder", (13.0, 0.0, 0.0)),
        ("LowerArm", "UpperArm", (26.0, 0.0, 0.0)), ("Hand", "LowerArm", (23.0, 0.0, 0.0)))  # fmt: skip
_LEG = (("UpperLeg", "Hips", (8.5, -4.0, 0.0)), ("LowerLeg", "UpperLeg", (0.0, -41.0, 0.0)),
        ("Foot", "LowerLeg", (0.0, -39.0, 0.0)), ("Toes", "Foot", (0.0, -7.0, 13.0)))  # fmt: skip


def _sided(chain: tuple[tuple[str, str, tuple[float, float, float]], ...]) -> list[tuple[str, str, tuple[float, ...]]]:
    return [
        (f"{name}_{side}", parent if parent in ("Chest", "Hips") else f"{parent}_{side}", (sign * x, y, z))
        for side, sign in (("L", 1.0), ("R", -1.0))
        for name, parent, (x, y, z) in chain
    ]


_JOINTS = [
    ("joint_Root", "", (0.0, 0.0, 0.0)),
    ("Hips", "joint_Root", (0.0, 92.0, 0.0)),
    ("Spine", "Hips", (0.0, 12.0, 0.0)),
    ("Chest", "Spine", (0.0, 14.0, 0.0)),
    ("Neck", "Chest", (0.0, 19.0, 0.0)),
    ("Head", "Neck", (0.0, 9.0, 1.0)),
    *_sided(_ARM),
    *_sided(_LEG),
]
_NAMES = tuple(name for name, *_ in _JOINTS)
SKELETON = Skeleton(
    _NAMES, tuple(_NAMES.index(parent) if parent else -1 for _, parent, _ in _JOINTS),
    np.array([offset for *_, offset in _JOINTS]),
)  # fmt: skip
_AIMS = (
    Aim("Spine", "Chest", "spine", "chest"),
    Aim("Chest", "Neck", "chest", "neck"),
    Aim("Neck", "Head", "neck", "head"),
    *(
        Aim(f"{joint}_{side[0].upper()}", f"{child}_{side[0].upper()}", start.format(side), f"{side}_{stop}")
        for side in ("left", "right")
        for joint, child, start, stop in (
            ("Shoulder", "UpperArm", "chest", "shoulder"),
            ("UpperArm", "LowerArm", "{}_shoulder", "elbow"),
            ("LowerArm", "Hand", "{}_elbow", "wrist"),
            ("UpperLeg", "LowerLeg", "{}_hip", "knee"),
            ("LowerLeg", "Foot", "{}_knee", "ankle"),
            ("Foot", "Toes", "{}_ankle", "toe"),
        )
    ),
)


def write_clip(path: Path, action: str, n_frames: int, seed: int, course: float = 0.0) -> None:
    """A clip of one of the generator's actions.

    Args:
        path: Where to.
        action: What is done.
        n_frames: How long.
        seed: Decides who does it, and how.
        course: Degrees to the left from where the body faces to where it goes, instead of straight on.
    """
    turned = retarget(doing(action, n_frames, RATE, seed), SKELETON, "Hips", _AIMS, _CENTIMETRE)
    degrees = Rotation.from_matrix(turned.rotations.reshape(-1, 3, 3)).as_euler("ZXY", degrees=True)
    rows = np.empty((n_frames, SKELETON.n_joints, 6))
    rows[:, :, :3] = SKELETON.offsets
    rows[:, SKELETON.index("Hips"), :3] = Rotation.from_euler("Y", course, degrees=True).apply(turned.root)
    rows[:, :, 3:] = degrees.reshape(n_frames, -1, 3)
    values: NDArray[np.float64] = rows.reshape(n_frames, -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = " ".join(["%.6g"] * values.shape[1])
    motion = "\n".join(line % tuple(row) for row in values.tolist())
    path.write_text(f"HIERARCHY\n{_block(0, 0)}MOTION\nFrames: {n_frames}\nFrame Time: {1 / RATE:.6f}\n{motion}\n")


def _block(joint: int, depth: int) -> str:
    """The hierarchy from this joint down."""
    pad, inner = "  " * depth, "  " * (depth + 1)
    x, y, z = SKELETON.offsets[joint]
    kind = "JOINT" if depth else "ROOT"
    below = [child for child, parent in enumerate(SKELETON.parents) if parent == joint]
    text = "".join(_block(child, depth + 1) for child in below)
    if not below:
        text = f"{inner}End Site\n{inner}{{\n{inner}  {_END}\n{inner}}}\n"
    return f"{pad}{kind} {_NAMES[joint]}\n{pad}{{\n{inner}OFFSET {x:g} {y:g} {z:g}\n{inner}{_CHANNELS}\n{text}{pad}}}\n"
