"""Positions of joints whose senders give rotations and positions relative to the joint above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
"""x, y, z, w."""

UNTURNED: Quaternion = (0.0, 0.0, 0.0, 1.0)


def rotated(by: Quaternion, vector: Vector) -> Vector:
    """A vector turned by a quaternion of length 1."""
    x, y, z, w = by
    a, b, c = vector
    # v + 2 w (u x v) + 2 u x (u x v)
    tx, ty, tz = 2.0 * (y * c - z * b), 2.0 * (z * a - x * c), 2.0 * (x * b - y * a)
    return a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx


def product(first: Quaternion, second: Quaternion) -> Quaternion:
    """The rotation that turns by `second`, then by `first`."""
    ax, ay, az, aw = first
    bx, by, bz, bw = second
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def normalised(given: Sequence[float]) -> Quaternion | None:
    """A quaternion of length 1; None if it has no length, or a number of it is none."""
    x, y, z, w = given
    length = (x * x + y * y + z * z + w * w) ** 0.5
    if not 1e-6 < length < 1e6:
        return None
    return x / length, y / length, z / length, w / length


def world_positions(
    parents: Sequence[int], places: Sequence[Vector | None], turns: Sequence[Quaternion | None]
) -> NDArray[np.float32]:
    """Where J joints are; one frame at a time in plain numbers, which for so few is faster than arrays.

    Args:
        parents: J indices, -1 for a joint of the world; parents come first.
        places: J positions relative to the parent, in its axes; None: not known.
        turns: J rotations relative to the parent; None: not known.

    Returns:
        ``(J, 3)``; NaN for what is not known, or hangs on what is not.
    """
    found: list[Vector | None] = []
    turned: list[Quaternion | None] = []
    for parent, place, turn in zip(parents, places, turns, strict=True):
        if parent < 0:
            found.append(place)
            turned.append(turn)
            continue
        above, about = found[parent], turned[parent]
        if above is None or about is None or place is None:
            found.append(None)
            turned.append(None)
            continue
        x, y, z = rotated(about, place)
        found.append((above[0] + x, above[1] + y, above[2] + z))
        turned.append(None if turn is None else product(about, turn))
    values = np.array([(np.nan,) * 3 if place is None else place for place in found], np.float32)
    values[~(np.abs(values) <= 1e9)] = np.nan
    return values
