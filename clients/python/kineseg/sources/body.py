"""What the first frames show of a body: which way is up, and how tall it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kineseg.motion import Joints

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
_TALL = (0.5, 2.6)  # metres from the lowest joint to the head


@dataclass(frozen=True, eq=False)
class Body:
    """A body as it stands.

    Attributes:
        joints: With the vertical axis as it was found.
        direction: Which axis of what arrives is up: ``y``, ``z``, ``-y``, ...
        height: From its lowest joint to the highest, in the unit of the joints; None where it does not stand.
        notes: What was assumed, and what looks wrong.
    """

    joints: Joints
    direction: str
    height: float | None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, joints: Joints, positions: NDArray[np.float32], up_known: bool, given: str) -> Body:
        """Look at positions ``(T, J, 3)``.

        Args:
            joints: What they are.
            positions: Of the first frames.
            up_known: Whether the sender or its protocol says which way is up.
            given: What the user says: ``y``, ``z``, or ``auto``.
        """
        from kineseg.motion.upright import standing, turned

        points = positions.astype(np.float64)
        notes: list[str] = []
        seen = standing(points, tuple(joints.names), joints.mapping)
        if given != "auto":
            direction = given
        elif up_known or seen.direction is None or not seen.sure:
            direction = joints.up
            if not up_known:
                notes.append(f"which way is up cannot be seen from the body: {joints.up} is assumed; say it with ?up=")
        else:
            direction = seen.direction
        if seen.sure and seen.direction not in (None, direction):
            notes.append(
                f"{direction} is taken as up, but the body stands along {seen.direction}: if the result looks wrong, "
                + (f"say ?up={seen.direction}" if seen.direction in ("y", "z") else "look at the sender's axes")
            )
        axis: str
        points, axis = turned(points, direction)
        height = _height(points, axis) if seen.direction is not None and seen.sure else None
        return cls(replace(joints, up=axis), direction, height, (*notes, *_unit_note(height, joints.unit)))

    @property
    def metres(self) -> float | None:
        """The height in metres, if the unit is known."""
        scale = _METRES.get(self.joints.unit)
        return None if self.height is None or scale is None else scale * self.height

    def turned(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Positions ``(T, J, 3)`` with y or z up."""
        from kineseg.motion.upright import turned

        return values if self.direction in ("y", "z") else turned(values, self.direction)[0]


def _height(points: NDArray[np.float64], axis: str) -> float | None:
    heights = points[..., "xyz".index(axis)]
    known = heights[np.isfinite(heights).any(axis=1)]
    if not len(known):
        return None
    return float(np.median(np.fmax.reduce(known, axis=1) - np.fmin.reduce(known, axis=1)))


def _unit_note(height: float | None, unit: str) -> tuple[str, ...]:
    if height is None or unit not in _METRES or _TALL[0] <= height * _METRES[unit] <= _TALL[1]:
        return ()
    likely = next((name for name, scale in _METRES.items() if _TALL[0] <= height * scale <= _TALL[1]), None)
    remedy = f"; if the sender counts in {likely}, say ?unit={likely}" if likely else ""
    return (f"a body {height * _METRES[unit]:.3g} m tall is none: the unit is taken as {unit}{remedy}",)
