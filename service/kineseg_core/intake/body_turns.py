"""The kernels of forward kinematics from quaternions.

They do what `kineseg.motion.JointFrames` does, number for number and in the same order.
"""

from __future__ import annotations

import numpy as np

from kineseg_core.intake.chunk import LARGEST_VALUE
from kineseg_core.kernels import kernel


@kernel(nogil=True)
def place_joints(frames, parents, is_turning, offsets, shortest, positions):  # type: ignore[no-untyped-def]
    """Where joints are.

    Args:
        frames: ``(n, 3 + 4 J)`` float32, position of the root and quaternions x, y, z, w.
        parents: ``(J,)`` unsigned; the root is first, and a parent before its children.
        is_turning: ``(J,)`` something hangs on the joint.
        offsets: ``(J, 3)`` at rest, from the parent.
        shortest: float32; a quaternion all of whose numbers are smaller says no rotation.
        positions: ``(n, J, 3)`` float64 to be filled; cut off where they are too large to be.

    Returns:
        Whether all quaternions that matter say a rotation.
    """
    turns = np.empty((len(parents), 3, 3))
    for row in range(len(frames)):
        for k in range(3):
            positions[row, 0, k] = frames[row, k]
        for joint in range(len(parents)):
            parent = parents[joint]
            if joint:
                _hang(turns, offsets, parent, joint, positions, row)
            if is_turning[joint]:
                if _is_short(frames, row, joint, shortest):
                    return False
                _turn(frames, row, parent, joint, turns)
    places = positions.ravel()
    for i in range(len(places)):
        if abs(places[i]) > LARGEST_VALUE:
            places[i] = LARGEST_VALUE if places[i] > 0.0 else -LARGEST_VALUE
    return True


@kernel(nogil=True)
def _is_short(frames, row, joint, shortest):  # type: ignore[no-untyped-def]
    is_short = True
    for at in range(3 + 4 * joint, 7 + 4 * joint):
        is_short &= abs(frames[row, at]) < shortest
    return is_short


@kernel(nogil=True)
def _hang(turns, offsets, parent, joint, positions, row):  # type: ignore[no-untyped-def]
    """Where a joint is, turned with its parent."""
    a, b, c = offsets[joint, 0], offsets[joint, 1], offsets[joint, 2]
    for k in range(3):
        step = turns[parent, k, 0] * a + turns[parent, k, 1] * b + turns[parent, k, 2] * c
        positions[row, joint, k] = positions[row, parent, k] + step


@kernel(nogil=True)
def _turn(frames, row, parent, joint, turns):  # type: ignore[no-untyped-def]
    """The rotation of a joint in the world: its own, then its parent's. Squares of single precision need no scale."""
    at = 3 + 4 * joint
    x, y = np.float64(frames[row, at]), np.float64(frames[row, at + 1])
    z, w = np.float64(frames[row, at + 2]), np.float64(frames[row, at + 3])
    twice = 2.0 / (x * x + y * y + z * z + w * w)
    xx, xy, xz = 1.0 - twice * (y * y + z * z), twice * (x * y - z * w), twice * (x * z + y * w)
    yx, yy, yz = twice * (x * y + z * w), 1.0 - twice * (x * x + z * z), twice * (y * z - x * w)
    zx, zy, zz = twice * (x * z - y * w), twice * (y * z + x * w), 1.0 - twice * (x * x + y * y)
    if joint == 0:
        turns[0, 0, 0], turns[0, 0, 1], turns[0, 0, 2] = xx, xy, xz
        turns[0, 1, 0], turns[0, 1, 1], turns[0, 1, 2] = yx, yy, yz
        turns[0, 2, 0], turns[0, 2, 1], turns[0, 2, 2] = zx, zy, zz
        return
    for k in range(3):
        a, b, c = turns[parent, k, 0], turns[parent, k, 1], turns[parent, k, 2]
        turns[joint, k, 0] = a * xx + b * yx + c * zx
        turns[joint, k, 1] = a * xy + b * yy + c * zy
        turns[joint, k, 2] = a * xz + b * yz + c * zz
