"""Motion of one body put on another: each bone points where the same bone of the first body points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from kineseg.motion import Recording, Skeleton
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Aim:
    """The bone from `joint` to `child` points from `start` to `stop` of the body whose motion it is."""

    joint: str
    child: str
    start: str
    stop: str


@dataclass(frozen=True)
class Turned:
    """Motion of a skeleton: ``(T, J, 3, 3)`` rotations relative to the parents, and ``(T, 3)`` of the root."""

    rotations: Array
    root: Array


def retarget(motion: Recording, skeleton: Skeleton, root: str, aims: Sequence[Aim], unit: float) -> Turned:
    """The motion on `skeleton`, whose bones lie in rest as a person with x to the left, y up and z forward.

    Args:
        motion: With positions of the canonical joints, in metres.
        skeleton: Of the body to move.
        root: Its joint that the hips turn; those above it do not turn.
        aims: Its bones that are turned, parents first.
        unit: Metres in one of its units.
    """
    assert motion.positions is not None
    at = {name: motion.positions[:, motion.joints.index(name)] for name in motion.joints}
    local = np.tile(np.eye(3), (motion.n_frames, skeleton.n_joints, 1, 1))
    world = local.copy()
    aimed = {skeleton.index(aim.joint): aim for aim in aims}
    for joint, parent in enumerate(skeleton.parents):
        before = np.broadcast_to(np.eye(3), world[:, joint].shape) if parent < 0 else world[:, parent]
        after = before
        if joint == skeleton.index(root):
            after = _facing(at)
        elif joint in aimed:
            aim = aimed[joint]
            bone = before @ skeleton.offsets[skeleton.index(aim.child)]
            after = _least_turn(bone, at[aim.stop] - at[aim.start]) @ before
        world[:, joint] = after
        local[:, joint] = np.swapaxes(before, 1, 2) @ after
    return Turned(local, at["hips"] / unit)


def _facing(at: dict[str, Array]) -> Array:
    """``(T, 3, 3)``: x to the left, y as upright as that allows."""
    left = _unit(at["left_hip"] - at["right_hip"])
    forward = _unit(np.cross(left, at["chest"] - at["hips"]))
    return np.stack([left, np.cross(forward, left), forward], axis=2)


def _least_turn(one: Array, other: Array) -> Array:
    """``(T, 3, 3)``: the rotations by the least angle that turn the directions `one` into `other`."""
    a, b = _unit(one), _unit(other)
    axis, cosine = np.cross(a, b), (a * b).sum(axis=1)
    cross = np.zeros((len(a), 3, 3))
    for i, (row, column) in enumerate(((2, 1), (0, 2), (1, 0))):
        cross[:, row, column], cross[:, column, row] = axis[:, i], -axis[:, i]
    share = 1.0 / (1.0 + np.maximum(cosine, -0.999))
    return np.eye(3) + cross + share[:, None, None] * (cross @ cross)


def _unit(vectors: Array) -> Array:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
