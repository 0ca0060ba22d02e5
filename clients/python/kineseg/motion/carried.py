"""Where a joint that is not seen must be about, by the rest of the body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def carried(before: Array, now: Array, joint: int, along: Sequence[int]) -> Array:
    """Where `joint` is now if it has moved with the joints `along` as one piece: over the floor and about the vertical.

    Args:
        before: ``(J, 3)`` the body when the joint was known, y up; NaN where a joint was not.
        now: ``(J, 3)`` the body now, NaN where a joint is not seen.
        joint: Which joint.
        along: The joints to follow; if none of them is known at both times, all joints are followed.

    Returns:
        ``(3,)``; NaN if no joint is known at both times, or this one was not known before.
    """
    known = np.flatnonzero(~np.isnan(before[:, 0] + now[:, 0]))
    followed = np.intersect1d(known, along)
    if not len(followed):
        followed = known
    if not len(followed):
        return np.full(3, np.nan)
    from_middle, to_middle = before[followed].mean(axis=0), now[followed].mean(axis=0)
    from_floor, to_floor = (
        (points[:, 0] - middle[0]) + 1j * (points[:, 2] - middle[2])
        for points, middle in ((before[followed], from_middle), (now[followed], to_middle))
    )
    turn = complex((np.conj(from_floor) * to_floor).sum())
    turn = turn / abs(turn) if abs(turn) > 0.0 else 1.0 + 0.0j
    offset = before[joint] - from_middle
    x_and_z = complex(offset[0], offset[2]) * turn
    place: Array = to_middle + np.array([x_and_z.real, offset[1], x_and_z.imag])
    return place
