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
            turn = frames[row, at : at + 4]
            if (np.abs(turn) < shortest).all():
                return row
    return -1


@kernel(nogil=True)
def place_joints(frames, parents, is_turning, offsets, positions):  # type: ignore[no-untyped-def]
    """Where joints are.

    Args:
        frames: ``(n, 3 + 4 J)`` position of the root and quaternions x, y, z, w.
        parents: ``(J,)`` the root is first, and a parent before its children.
        is_turning: ``(J,)`` something hangs on the joint.
        offsets: ``(J, 3)`` at rest, from the parent.
        positions: ``(n, J, 3)`` float64 to be filled; cut off where they are too large to be.
    """
    turns = np.empty((len(parents), 3, 3))
    local = np.empty((3, 3))
    for row in range(len(frames)):
        frame, places = frames[row], positions[row]
        for joint in range(len(parents)):
            parent = parents[joint]
            if joint == 0:
                places[0, 0], places[0, 1], places[0, 2] = frame[0], frame[1], frame[2]
            else:
                _hang(places, turns[parent], offsets[joint], parent, joint)
            if is_turning[joint]:
                _matrix(frame[3 + 4 * joint : 7 + 4 * joint], turns[0] if joint == 0 else local)
                if joint:
                    _product(turns[parent], local, turns[joint])
        for joint in range(len(parents)):
            for k in range(3):
                if abs(places[joint, k]) > LARGEST_VALUE:
                    places[joint, k] = LARGEST_VALUE if places[joint, k] > 0.0 else -LARGEST_VALUE


@kernel(nogil=True)
def _hang(places, turn, offset, parent, joint):  # type: ignore[no-untyped-def]
    for k in range(3):
        step = turn[k, 0] * offset[0] + turn[k, 1] * offset[1] + turn[k, 2] * offset[2]
        places[joint, k] = places[parent, k] + step


@kernel(nogil=True)
def _product(a, b, product):  # type: ignore[no-untyped-def]
    for i in range(3):
        for j in range(3):
            product[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]


@kernel(nogil=True)
def _matrix(quaternion, matrix):  # type: ignore[no-untyped-def]
    """The rotation of a quaternion of any length but zero."""
    x, y = np.float64(quaternion[0]), np.float64(quaternion[1])
    z, w = np.float64(quaternion[2]), np.float64(quaternion[3])
    largest = max(max(abs(x), abs(y)), max(abs(z), abs(w)))
    x, y, z, w = x / largest, y / largest, z / largest, w / largest
    twice = 2.0 / (x * x + y * y + z * z + w * w)
    matrix[0, 0] = 1.0 - twice * (y * y + z * z)
    matrix[0, 1] = twice * (x * y - z * w)
    matrix[0, 2] = twice * (x * z + y * w)
    matrix[1, 0] = twice * (x * y + z * w)
    matrix[1, 1] = 1.0 - twice * (x * x + z * z)
    matrix[1, 2] = twice * (y * z - x * w)
    matrix[2, 0] = twice * (x * z - y * w)
    matrix[2, 1] = twice * (y * z + x * w)
    matrix[2, 2] = 1.0 - twice * (x * x + y * y)
