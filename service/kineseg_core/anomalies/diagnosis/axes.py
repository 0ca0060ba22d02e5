"""Axes: from one row to the next the body is mirrored, or its axes have been exchanged.

Of the 47 ways to do that, one takes the joints from where they were to where they are; no movement does.
"""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

LEAST_MOVE = 0.02
"""Body heights that half of the joints move at least, further than they would have."""
_EXPLAINED = 0.3

_CHANGES = np.array(
    [
        np.eye(3)[list(order)] * np.array(signs)[:, None]
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ][1:]
)


def axes_changed(places: F64) -> bool:
    """Whether a change of axes explains the last of three rows.

    Args:
        places: ``(3, J, 3)`` relative to the root, body heights; without the root.
    """
    expected = 2.0 * places[1] - places[0]
    moved = float(np.median(np.linalg.norm(places[2] - expected, axis=1)))
    if moved < LEAST_MOVE:
        return False
    changed = np.einsum("kij,nj->kni", _CHANGES, expected)
    left = np.median(np.linalg.norm(places[2] - changed, axis=2), axis=1)
    return bool(left.min() < _EXPLAINED * moved)
