"""Clips and annotated takes in the layouts of the CMU exponential-map releases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from kineseg.motion.cmu_skeleton import CMU_BONE_AXES, CMU_END_JOINTS, CMU_SKELETON
from numpy.typing import NDArray
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from tests.recordings.person import doing, joined
from tests.recordings.retarget import Aim, retarget

Array = NDArray[np.float64]

RATE = 120.0
_UNIT = 0.0254 / 0.45  # metres
_BLEND = 40  # frames
_MOVING = [joint for joint in range(CMU_SKELETON.n_joints) if joint not in CMU_END_JOINTS]
_AIMS = (
    *(Aim(joint, child, "hips", "chest") for joint, child in (("LowerBack", "Spine"), ("Spine", "Spine1"))),
    Aim("Neck", "Neck1", "chest", "neck"),
    Aim("Neck1", "Head", "neck", "head"),
    *(
        Aim(f"{side}{joint}", f"{side}{child}", start.format(side.lower()), f"{side.lower()}_{stop}")
        for side in ("Left", "Right")
        for joint, child, start, stop in (
            ("Shoulder", "Arm", "chest", "shoulder"),
            ("Arm", "ForeArm", "{}_shoulder", "elbow"),
            ("ForeArm", "Hand", "{}_elbow", "wrist"),
            ("UpLeg", "Leg", "{}_hip", "knee"),
            ("Leg", "Foot", "{}_knee", "ankle"),
            ("Foot", "ToeBase", "{}_ankle", "toe"),
        )
    ),
)
# The first row of a clip: arms and legs spread, as the skeleton lies in rest.
_CALIBRATION = np.concatenate([[0.0, 17.0, 0.0], np.zeros(3 * CMU_SKELETON.n_joints)])

Plan = Sequence[tuple[str, str, int]]
"""Segments of a take: its name in the annotation, the generator's action, frames."""


def channels(action: str, n_frames: int, seed: int) -> Array:
    """``(T, 117)``: root translation, exponential maps of all joints."""
    turned = retarget(doing(action, n_frames, RATE, seed), CMU_SKELETON, "Hips", _AIMS, _UNIT)
    maps = Rotation.from_matrix(turned.rotations.reshape(-1, 3, 3)).as_rotvec().reshape(n_frames, -1, 3)
    # The releases store the map of the inverse rotation.
    return np.hstack([turned.root, -_continued(maps).reshape(n_frames, -1)])


def write_clip(path: Path, action: str, n_frames: int, seed: int) -> None:
    """A text file of 117 columns: a calibration pose, then `n_frames` of the action."""
    rows = np.vstack([_CALIBRATION, channels(action, n_frames, seed)])
    path.parent.mkdir(parents=True, exist_ok=True)
    line = ",".join(["%.6g"] * rows.shape[1])
    path.write_text("".join(line % tuple(row) + "\n" for row in rows.tolist()))


def write_take(path: Path, plan: Plan, seed: int) -> None:
    """A MATLAB file of 96 columns, and the annotation beside it."""
    parts = [channels(action, length, seed + i) for i, (_, action, length) in enumerate(plan)]
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"expmapchannels": compact(joined(parts, _BLEND))})
    ends = np.cumsum([length for *_, length in plan]).tolist()
    lines = [str(len(plan))]
    for number, ((name, *_), end) in enumerate(zip(plan, ends, strict=True), start=1):
        lines += [f"{number} {name}", f"{end - 30} {end} {end + 50}" if number < len(plan) else str(end)]
    path.with_name(f"{path.stem}_ground_truth.txt").write_text("\n".join(lines) + "\n")


def compact(wide: Array) -> Array:
    """``(T, 96)`` from ``(T, 117)``: without the end joints, limbs turned about their own axes."""
    maps = wide[:, 3:].reshape(len(wide), -1, 3)[:, _MOVING].copy()
    for name, degrees in CMU_BONE_AXES.items():
        place = _MOVING.index(CMU_SKELETON.index(name))
        maps[:, place] = Rotation.from_euler("xyz", degrees, degrees=True).inv().apply(maps[:, place])
    return np.hstack([wide[:, :3], maps.reshape(len(wide), -1)])


def _continued(maps: Array) -> Array:
    """The same rotations, written so that nothing jumps where an angle passes half a turn."""
    out = maps.copy()
    angles = np.linalg.norm(out, axis=2)
    for joint in np.flatnonzero(angles.max(axis=0) > 0.8 * np.pi):
        for frame in range(1, len(out)):
            angle = angles[frame, joint]
            axis = out[frame, joint] / max(angle, 1e-9)
            turns = np.round((axis @ out[frame - 1, joint] - angle) / (2.0 * np.pi))
            out[frame, joint] = axis * (angle + 2.0 * np.pi * turns)
    return out
