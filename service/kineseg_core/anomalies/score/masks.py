"""Which values say nothing: those of units that are lost or were a moment ago, and all of them after a gap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

_LOST_S, _GAP_S = 0.4, 0.7


class Masks(NamedTuple):
    """Of U units and N values.

    Attributes:
        left: ``(U,)`` frames for which a unit says nothing yet.
        values: ``(N,)`` bool.
    """

    left: NDArray[np.int64]
    values: NDArray[np.bool_]


def new_masks(units: int, values: int) -> Masks:
    """All is heard."""
    return Masks(np.zeros(units, np.int64), np.zeros(values, bool))


@kernel()
def mask(masks, lost, gap, root, rate, unit, other):  # type: ignore[no-untyped-def]
    """Takes a row of values.

    Args:
        masks: See `Masks`.
        lost: ``(U,)`` bool, units lost since the last row.
        gap: Whether there was a gap since.
        root: The unit on which all others depend, or -1.
        rate: Rows a second.
        unit, other: ``(N,)`` units that a value is about; a value of the whole source needs half of the units.
    """
    after_loss, after_gap = round(_LOST_S * rate) + 1, round(_GAP_S * rate) + 1
    left = masks.left
    rootless = root >= 0 and lost[root]
    silent = 0
    for u in range(len(left)):
        if lost[u] or rootless:
            left[u] = max(left[u], after_loss)
        if gap:
            left[u] = max(left[u], after_gap)
        if left[u] > 0:
            left[u] -= 1
            silent += 1
    most = 2 * silent > len(left)
    for n in range(len(unit)):
        if unit[n] < 0:
            masks.values[n] = most
        else:
            masks.values[n] = left[unit[n]] > 0 or (other[n] >= 0 and left[other[n]] > 0)
