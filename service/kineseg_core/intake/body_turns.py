"""The kernels of forward kinematics from quaternions.

They do what `kineseg.motion.JointFrames` does, number for number and in the same order.
"""

from __future__ import annotations

import numpy as np

from kineseg_core.intake.chunk import LARGEST_VALUE
from kineseg_core.kernels import kernel


@kernel(nogil=True)
def without_rotation(frames, turning, shortest):  # type: ignore[no-untyped-def]
    """The first row of ``frames (n, 3 + 4 J)`` in which the quaternion of a joint of `turning` has no length; or -1."""
    for row in range(len(frames)):
        for joint in turning:
            at = 3 + 4 * joint
            is_short = True
            for k in range(4):
                is_short &= abs(frames[row, at + k]) < shortest
            if is_short:
                return row
    return -1


@kernel(nogil=True)
def place_joints(frames, parents, is_turning, offsets, positions):  # type: ignore[no-untyped-def]
    """Where joints are.

    Args:
        frames: ``(n, 3 + 4 J)`` float32, position of the root and quaternions x, y, z, w.
        parents: ``(J,)`` the root is first, and a parent before its children.
        is_turning: ``(J,)`` something hangs on the joint.
        offsets: ``(J, 3)`` at rest, from the parent.
        positions: ``(n, J, 3)`` float64 to be filled; cut off where they are too large to be.
    """
    turns = np.empty((len(parents), 3, 3))
    for row in range(len(frames)):
        for k in range(3):
            positions[row, 0, k] = frames[row, k]
        if is_turning[0]:
            _turn(frames, row, 0, turns)
        for joint in range(1, len(parents)):
            parent = parents[joint]
            a, b, c = offsets[joint, 0], offsets[joint, 1], offsets[joint, 2]
            for k in range(3):
                step = turns[parent, k, 0] * a + turns[parent, k, 1] * b + turns[parent, k, 2] * c
                positions[row, joint, k] = positions[row, parent, k] + step
            if is_turning[joint]:
                _turn(frames, row, joint, turns)
                _after(parent, joint, turns)
    places = positions.ravel()
    for i in range(len(places)):
        if abs(places[i]) > LARGEST_VALUE:
            places[i] = LARGEST_VALUE if places[i] > 0.0 else -LARGEST_VALUE


@kernel(nogil=True)
def _turn(frames, row, joint, turns):  # type: ignore[no-untyped-def]
    """A joint's own rotation; squares of single precision need no scale."""
    at = 3 + 4 * joint
    x, y = np.float64(frames[row, at]), np.float64(frames[row, at + 1])
    z, w = np.float64(frames[row, at + 2]), np.float64(frames[row, at + 3])
    twice = 2.0 / (x * x + y * y + z * z + w * w)
    turns[joint, 0, 0] = 1.0 - twice * (y * y + z * z)
    turns[joint, 0, 1] = twice * (x * y - z * w)
    turns[joint, 0, 2] = twice * (x * z + y * w)
    turns[joint, 1, 0] = twice * (x * y + z * w)
    turns[joint, 1, 1] = 1.0 - twice * (x * x + z * z)
    turns[joint, 1, 2] = twice * (y * z - x * w)
    turns[joint, 2, 0] = twice * (x * z - y * w)
    turns[joint, 2, 1] = twice * (y * z + x * w)
    turns[joint, 2, 2] = 1.0 - twice * (x * x + y * y)


@kernel(nogil=True)
def _after(parent, joint, turns):  # type: ignore[no-untyped-def]
    """The parent's rotation comes after the joint's own."""
    for k in range(3):  # by column, which is read before it is written
        a, b, c = turns[joint, 0, k], turns[joint, 1, k], turns[joint, 2, k]
        for i in range(3):
            turns[joint, i, k] = turns[parent, i, 0] * a + turns[parent, i, 1] * b + turns[parent, i, 2] * c
