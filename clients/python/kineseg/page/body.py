"""Where a body is and how it moves, out of its canonical poses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg.motion import CANONICAL_BONES, CANONICAL_CHANNELS, CANONICAL_JOINTS, canonical_positions

Array = NDArray[np.float64]

# What is missing for longer is no movement that could be added up.
_LONGEST_STEP_S = 0.5
_PARTS = 1000  # points are whole thousandths of the body's size
_HEIGHTS = (
    ("left hand height", "left_wrist"),
    ("right hand height", "right_wrist"),
    ("left foot height", "left_ankle"),
    ("right foot height", "right_ankle"),
)


def skeleton() -> dict[str, Any]:
    """What a page needs to draw one: pairs of joints, each with -1 (right), 0 or 1 (left), and which is the head."""
    index = {name: i for i, name in enumerate(CANONICAL_JOINTS)}
    bones = []
    for parent, child in CANONICAL_BONES:
        side = 1 if child.startswith("left") else -1 if child.startswith("right") else 0
        bones.append([index[parent], index[child], side])
    return {"bones": bones, "head": index["head"], "parts": _PARTS, "joints": list(CANONICAL_JOINTS)}


class BodyTrack:
    """Adds up how a body moves and turns: it begins at the origin and looks along z.

    What frames are made of: 3 numbers of where it is and looks, x, z and the angle from z towards x; 2 of how fast it
    goes and turns, per second; then x, y, z of each joint, as `skeleton` names them, in thousandths of the body's size
    along axes that turn with it.
    """

    def __init__(self, channels: Sequence[str]) -> None:
        places = {name: i for i, name in enumerate(channels)}
        self._columns = [places[name] for name in CANONICAL_CHANNELS]
        self._x = self._z = self._yaw = 0.0
        self._last_s: float | None = None
        self._held = np.zeros(len(CANONICAL_CHANNELS))

    @staticmethod
    def fits(channels: Sequence[str]) -> bool:
        """Whether frames of these channels are canonical poses."""
        return set(channels) == set(CANONICAL_CHANNELS) and len(channels) == len(CANONICAL_CHANNELS)

    def push(self, frames: ArrayLike, times_s: Sequence[float]) -> tuple[list[list[float]], Array]:
        """The next frames, ``(T, 59)`` at ``(T,)`` seconds; NaN keeps its last value.

        Returns:
            What is shown of each, and ``(T, 6)`` the curves that `SIGNALS` names.
        """
        poses = self._hold(np.asarray(frames, dtype=np.float64)[:, self._columns])
        body = canonical_positions(poses)
        points = np.clip(np.rint(body * _PARTS), -(1 << 15), 1 << 15).astype(int).reshape(len(body), -1).tolist()
        rows = []
        for pose, time_s, flat in zip(poses, times_s, points, strict=True):
            sideways, forward, turning = float(pose[55]), float(pose[57]), float(pose[58])
            self._move(sideways, forward, turning, float(time_s))
            place = round(self._x, 3), round(self._z, 3), round(self._yaw, 4)
            rows.append([*place, round(math.hypot(sideways, forward), 3), round(turning, 3), *flat])
        heights = [body[:, CANONICAL_JOINTS.index(joint), 1] for _, joint in _HEIGHTS]
        return rows, np.stack([*heights, poses[:, 57], poses[:, 58]], axis=1)

    def _hold(self, poses: Array) -> Array:
        for row in poses:
            missing = np.isnan(row)
            row[missing] = self._held[missing]
            self._held = row
        return poses

    def _move(self, sideways: float, forward: float, turning: float, time_s: float) -> None:
        step = 0.0 if self._last_s is None else max(0.0, time_s - self._last_s)
        self._last_s = time_s
        if step > _LONGEST_STEP_S:
            return
        self._yaw = math.remainder(self._yaw + turning * step, math.tau)
        sin, cos = math.sin(self._yaw), math.cos(self._yaw)
        self._x += (sideways * cos + forward * sin) * step
        self._z += (forward * cos - sideways * sin) * step


SIGNALS = (*(name for name, _ in _HEIGHTS), "forward speed", "turning")
"""The curves of a body."""
