"""The least of the last values of each unit."""

from __future__ import annotations

import math

from kineseg_core.kernels import kernel


@kernel(inlined=True)
def hold(held, lowest, row, least):  # type: ignore[no-untyped-def]
    """Takes the values in row ``row % m`` of a ring, and writes the least of the last m of each unit.

    Each time the ring is full, every row of it becomes the least from itself to the end (van Herk 1992): the last m
    values are then the rows after the newest one, of which the first says it all, and those since the ring was full.

    Args:
        held: ``(m, n)`` a ring of the values of n units. Only its row of the newest values is given; the others are
            kept as is said above.
        lowest: ``(n,)`` least since the ring was full.
        row: Rows before this one.
        least: ``(n,)`` written.
    """
    size = len(held)
    at = row % size
    newest = held[at]
    if at == 0:
        lowest[:] = math.inf
        for earlier in range(size - 2, 0, -1):
            values, later = held[earlier], held[earlier + 1]
            for unit in range(len(least)):
                values[unit] = values[unit] if values[unit] < later[unit] else later[unit]
    rest = held[at + 1] if at + 1 < size else lowest
    for unit in range(len(least)):
        lowest[unit] = newest[unit] if newest[unit] < lowest[unit] else lowest[unit]
    for unit in range(len(least)):
        least[unit] = rest[unit] if rest[unit] < lowest[unit] else lowest[unit]
