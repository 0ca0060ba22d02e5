"""From frames as `Joints` describes them to the positions of the joints."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg.motion.errors import SkeletonError
from kineseg.motion.joints import Joints
from kineseg.motion.kinematics import forward_kinematics, matrices_from_euler, matrices_from_quaternions

Array = NDArray[np.float64]

# A quaternion shorter than this says no direction in single precision.
SHORTEST_QUATERNION = 1e-6


class JointFrames:
    """Turns frames into positions; nothing of one frame depends on another. Picklable.

    Args:
        joints: What the numbers of a frame mean.
    """

    def __init__(self, joints: Joints) -> None:
        self._joints = joints
        self._skeleton = joints.skeleton
        self._turning = sorted(set(joints.parents) - {-1})  # what hangs on no other joint's rotation does not matter
        self._columns: dict[str, list[tuple[int, int]]] = defaultdict(list)
        column = 3
        for joint, order in enumerate(joints.euler_orders):
            if order and joint in self._turning:
                self._columns[order].append((joint, column))
            column += len(order)

    def positions(self, frames: ArrayLike) -> Array:
        """Where the joints are.

        Args:
            frames: ``(T, W)``, see `Joints`; NaN where something is not known.

        Returns:
            ``(T, J, 3)`` in the world; NaN where a joint is not seen, or one above it has no rotation.

        Raises:
            SkeletonError: Another shape.
        """
        values = np.asarray(frames, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != self._joints.width:
            raise SkeletonError(
                f"frames must have shape (frames, {self._joints.width}), got {values.shape}", field="frames"
            )
        if self._skeleton is None or self._joints.rotations == "none":
            return values.reshape(len(values), -1, 3)
        with np.errstate(invalid="ignore"):  # NaN through a matrix product warns on some machines
            return forward_kinematics(self._skeleton, self._rotations(values), values[:, :3])

    def without_rotation(self, frames: NDArray[np.floating]) -> tuple[int, str] | None:
        """Row and joint of the first quaternion ``(T, W)`` that says no rotation: it has no length. None: all do."""
        if self._joints.rotations != "quaternions":
            return None
        turns = frames[:, 3:].reshape(len(frames), -1, 4)[:, self._turning]
        largest = np.abs(turns).max(axis=2)
        short = np.argwhere(largest < SHORTEST_QUATERNION)
        return (int(short[0][0]), self._joints.names[self._turning[int(short[0][1])]]) if len(short) else None

    def _rotations(self, values: Array) -> Array:
        """``(T, J, 3, 3)`` local rotations; those that nothing hangs on are left out: none."""
        rotations = np.empty((len(values), len(self._joints.names), 3, 3))
        rotations[:] = np.eye(3)
        if self._joints.rotations == "quaternions":
            turns = values[:, 3:].reshape(len(values), -1, 4)
            rotations[:, self._turning] = matrices_from_quaternions(turns[:, self._turning])
        for order, members in self._columns.items():
            columns = [[first + at for at in range(len(order))] for _, first in members]
            angles = np.radians(values[:, columns])
            rotations[:, [joint for joint, _ in members]] = matrices_from_euler(angles, order)
        return rotations
