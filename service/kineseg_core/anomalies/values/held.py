"""The least of the last values of each unit."""

from __future__ import annotations

import math

from kineseg_core.kernels import kernel


@kernel(inlined=True)
def let_go(oldest, least):  # type: ignore[no-untyped-def]
    """The oldest values of n units are to be replaced, see `hold`: marks where the least may be gone with them."""
    for unit in range(len(least)):
        least[unit] = math.inf if oldest[unit] <= least[unit] else least[unit]


@kernel(inlined=True)
def hold(held, newest, least):  # type: ignore[no-untyped-def]
    """Writes the least values that are held of each unit; few are looked for anew.

    Args:
        held: ``(m, n)`` the last values of n units, a ring.
        newest: ``(n,)`` the row that has been replaced.
        least: ``(n,)`` as `let_go` left it.
    """
    for unit in range(len(least)):
        if least[unit] == math.inf:
            for i in range(len(held)):
                least[unit] = min(least[unit], held[i, unit])
        elif newest[unit] < least[unit]:
            least[unit] = newest[unit]
