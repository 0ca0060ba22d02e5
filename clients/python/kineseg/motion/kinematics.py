"""Forward kinematics over whole recordings, and the rotations it needs.

Rotations are 3 x 3 matrices acting on column vectors: a joint's matrix turns its own frame into its parent's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg.motion.errors import SkeletonError
from kineseg.motion.skeleton import Skeleton

Array = NDArray[np.float64]


def forward_kinematics(
    skeleton: Skeleton,
    rotations: ArrayLike,
    root_translation: ArrayLike,
    *,
    joint_translations: ArrayLike | None = None,
) -> Array:
    """Joint positions from joint rotations.

    Args:
        skeleton: J joints.
        rotations: ``(T, J, 3, 3)`` rotation of each joint relative to its parent.
        root_translation: ``(T, 3)`` position of the root; the root's own offset is not added.
        joint_translations: ``(T, J, 3)`` to use in place of the skeleton's offsets, for sources whose bones change
            length. The root's entry is not used.

    Returns:
        ``(T, J, 3)`` positions in the world, in the units of the skeleton.

    Raises:
        SkeletonError: A shape does not fit the skeleton.
    """
    local = np.asarray(rotations, dtype=np.float64)
    root = np.asarray(root_translation, dtype=np.float64)
    n_frames, n_joints = len(root), skeleton.n_joints
    if local.shape != (n_frames, n_joints, 3, 3):
        raise SkeletonError(
            f"rotations must have shape ({n_frames}, {n_joints}, 3, 3), got {local.shape}", field="rotations"
        )
    moves = None if joint_translations is None else np.asarray(joint_translations, dtype=np.float64)
    if moves is not None and moves.shape != (n_frames, n_joints, 3):
        raise SkeletonError(
            f"joint_translations must have shape ({n_frames}, {n_joints}, 3), got {moves.shape}",
            field="joint_translations",
        )
    has_child = set(skeleton.parents)
    turned: dict[int, Array] = {0: local[:, 0]}
    positions = np.empty((n_frames, n_joints, 3))
    positions[:, 0] = root
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        if moves is None:
            step = _turned(turned[parent], skeleton.offsets[joint])
        else:
            step = _turned(turned[parent], moves[:, joint])
        positions[:, joint] = positions[:, parent] + step
        if joint in has_child:
            turned[joint] = _product(turned[parent], local[:, joint])
    return positions


def matrices_from_expmap(vectors: ArrayLike) -> Array:
    """Rotation matrices from exponential maps (axis times angle).

    Args:
        vectors: ``(..., 3)`` in radians.

    Returns:
        ``(..., 3, 3)``.
    """
    v = np.asarray(vectors, dtype=np.float64)
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    square = x * x + y * y + z * z
    angle = np.sqrt(square)
    # Below 1e-4 rad the quotients lose digits to cancellation; their series are exact to double precision there.
    small = angle < 1e-4
    safe = np.where(small, 1.0, angle)
    a = np.where(small, 1.0 - square / 6.0, np.sin(safe) / safe)
    b = np.where(small, 0.5 - square / 24.0, 2.0 * (np.sin(safe / 2.0) / safe) ** 2)
    c = 1.0 - b * square
    out = np.empty((*v.shape[:-1], 3, 3))
    out[..., 0, 0] = c + b * x * x
    out[..., 0, 1] = b * x * y - a * z
    out[..., 0, 2] = b * x * z + a * y
    out[..., 1, 0] = b * x * y + a * z
    out[..., 1, 1] = c + b * y * y
    out[..., 1, 2] = b * y * z - a * x
    out[..., 2, 0] = b * x * z - a * y
    out[..., 2, 1] = b * y * z + a * x
    out[..., 2, 2] = c + b * z * z
    return out


def matrices_from_quaternions(quaternions: ArrayLike) -> Array:
    """Rotation matrices from quaternions of any length but zero.

    Args:
        quaternions: ``(..., 4)``: x, y, z, w, the real part last.

    Returns:
        ``(..., 3, 3)``; NaN where a number of the quaternion is, or all are 0.
    """
    q = np.asarray(quaternions, dtype=np.float64)
    largest = np.abs(q).max(axis=-1, keepdims=True)
    # By a power of two, which rounds nothing: so that no square leaves the numbers there are.
    q = np.ldexp(np.where(largest > 0.0, q, np.nan), -np.frexp(largest)[1])
    x, y, z, w = (q[..., i] for i in range(4))
    twice = 2.0 / (x * x + y * y + z * z + w * w)
    out = np.empty((*q.shape[:-1], 3, 3))
    out[..., 0, 0] = 1.0 - twice * (y * y + z * z)
    out[..., 0, 1] = twice * (x * y - z * w)
    out[..., 0, 2] = twice * (x * z + y * w)
    out[..., 1, 0] = twice * (x * y + z * w)
    out[..., 1, 1] = 1.0 - twice * (x * x + z * z)
    out[..., 1, 2] = twice * (y * z - x * w)
    out[..., 2, 0] = twice * (x * z - y * w)
    out[..., 2, 1] = twice * (y * z + x * w)
    out[..., 2, 2] = 1.0 - twice * (x * x + y * y)
    return out


def matrices_from_euler(angles: ArrayLike, order: str) -> Array:
    """Rotation matrices from Euler angles about the moving axes, e.g. ``ZXY`` gives ``Rz @ Rx @ Ry``.

    Args:
        angles: ``(..., n)`` in radians, in the order of the letters.
        order: n letters out of X, Y and Z (any case, any number).

    Returns:
        ``(..., 3, 3)``.

    Raises:
        SkeletonError: A letter is not an axis, or their number is not that of the angles.
    """
    values = np.asarray(angles, dtype=np.float64)
    axes = order.upper()
    if set(axes) - set("XYZ") or len(axes) != values.shape[-1]:
        raise SkeletonError(f"Euler order {order!r} does not fit {values.shape[-1]} angles", field="order")
    total = np.broadcast_to(np.eye(3), (*values.shape[:-1], 3, 3))
    for position, axis in enumerate(axes):
        turn = _matrices_about_axis(values[..., position], axis)
        total = turn if position == 0 else _product(total, turn)
    return np.ascontiguousarray(total)


# Products are written out: those of BLAS add in an order, and round, as the processor has it.


def _product(a: Array, b: Array) -> Array:
    """``(..., 3, 3)`` matrix products."""
    return np.asarray(a[..., :1] * b[..., :1, :] + a[..., 1:2] * b[..., 1:2, :] + a[..., 2:] * b[..., 2:, :])


def _turned(matrices: Array, vectors: Array) -> Array:
    """``(T, 3, 3)`` matrices times vectors ``(3,)`` or ``(T, 3)``."""
    x, y, z = vectors[..., :1], vectors[..., 1:2], vectors[..., 2:]
    return np.asarray(matrices[..., 0] * x + matrices[..., 1] * y + matrices[..., 2] * z)


def _matrices_about_axis(angle: Array, axis: str) -> Array:
    fixed = "XYZ".index(axis)
    i, j = (fixed + 1) % 3, (fixed + 2) % 3
    cos, sin = np.cos(angle), np.sin(angle)
    out = np.zeros((*angle.shape, 3, 3))
    out[..., fixed, fixed] = 1.0
    out[..., i, i] = cos
    out[..., i, j] = -sin
    out[..., j, i] = sin
    out[..., j, j] = cos
    return out
