"""Puts the states of a batch back into the table of all, but for bad rows.

With NumPy these are ten calls, which take a third of the step of a stream alone.
"""

from __future__ import annotations

import math

from kineseg_core.kernels import kernel


@kernel()
def put_states(table, slots, states, outputs, bad):  # type: ignore[no-untyped-def]
    """Puts the states of a batch into the table, but for rows in which any number is not finite.

    Args:
        table: ``(N, S)`` float32, all states.
        slots: ``(n,)`` whose states have changed.
        states: ``(m, S)`` float32, the first n of which they are now.
        outputs: What else has come of the batch, each ``(m, K)`` float32.
        bad: ``(m,)`` int64, written: those rows.

    Returns:
        How many these are.
    """
    count = 0
    for row in range(len(slots)):
        kept, state = table[slots[row]], states[row]
        fine = _are_finite(state)
        for output in outputs:
            fine &= _are_finite(output[row])
        if not fine:
            bad[count] = row
            count += 1
            continue
        for i in range(len(state)):
            kept[i] = state[i]
    return count


@kernel(inlined=True)
def _are_finite(numbers):  # type: ignore[no-untyped-def]
    finite = True
    for i in range(len(numbers)):
        finite &= math.isfinite(numbers[i])
    return finite
