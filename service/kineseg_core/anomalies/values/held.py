"""The least of the last values of each unit."""

from __future__ import annotations

import math

from kineseg_core.kernels import kernel


@kernel(inlined=True)
def least_held(held, least):  # type: ignore[no-untyped-def]
    """Writes the least values that are held of each unit.

    All of them are looked at, many units at once: that takes less than to find the few units whose least has changed.

    Args:
        held: ``(m, n)`` the last values of n units, in any order.
        least: ``(n,)`` written.
    """
    least[:] = math.inf
    for i in range(len(held)):
        values = held[i]
        for unit in range(len(least)):
            least[unit] = values[unit] if values[unit] < least[unit] else least[unit]
