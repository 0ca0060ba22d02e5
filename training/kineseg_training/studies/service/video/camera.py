"""From the world to the picture: a camera that follows the body, and the floor under it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_AZIMUTH, _ELEVATION = np.radians(28.0), np.radians(13.0)
_DISTANCE = 7.0
_REACH, _STEP = 2.2, 0.5

_RIGHT = np.array([np.cos(_AZIMUTH), 0.0, -np.sin(_AZIMUTH)])
_BACK = np.array([np.sin(_AZIMUTH) * np.cos(_ELEVATION), np.sin(_ELEVATION), np.cos(_AZIMUTH) * np.cos(_ELEVATION)])
_UP = np.cross(_BACK, _RIGHT)


def projected(points: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """World points ``(..., 3)`` in the picture, ``(..., 2)``, with the floor spot `centre` (x, z) at the origin."""
    relative = points - np.array([centre[0], 0.0, centre[1]])
    nearer = _DISTANCE / (_DISTANCE - relative @ _BACK)
    return np.asarray(np.stack([relative @ _RIGHT, relative @ _UP], axis=-1) * nearer[..., None])


def floor_lines(centre: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A round piece of a grid that stands still while the camera moves.

    Args:
        centre: ``(2,)`` x and z of the middle.

    Returns:
        Lines ``(L, 2, 3)``, and how strong each is, ``(L,)`` from 0 at the rim to 1.
    """
    lines, strength = [], []
    for axis in (0, 1):
        for at in np.arange(np.ceil((centre[axis] - _REACH) / _STEP), (centre[axis] + _REACH) / _STEP) * _STEP:
            off = at - centre[axis]
            half = np.sqrt(max(_REACH**2 - off**2, 0.0))
            ends = np.zeros((2, 3))
            ends[:, 2 * axis] = at
            ends[:, 2 - 2 * axis] = centre[1 - axis] + np.array([-half, half])
            lines.append(ends)
            strength.append(half / _REACH)
    return np.array(lines), np.array(strength)
