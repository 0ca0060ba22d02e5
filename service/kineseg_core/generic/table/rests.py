"""Where the stream of a row stands still, see `kineseg_core.generic.rests`, as a kernel."""

from __future__ import annotations

from kineseg_core.generic.rests import GROUP, LOOK_BACK, PATIENCE, UNIT
from kineseg_core.kernels import kernel
from kineseg_core.segmenter.arithmetic import square_between, square_of
from kineseg_core.segmenter.stillness import JUMP, LEAVING, SPREAD
from kineseg_core.segmenter.table.stillness import end_group, note_block

NONE = -1
"""There is no boundary."""


@kernel(nogil=True)
def note_rest(counters, means, spreads, group, position, block):  # type: ignore[no-untyped-def]
    """Takes the next block of a row, which is not counted yet.

    Args:
        counters: Of the row.
        means, spreads: ``(G, E)``, ``(G,)`` of the last groups of blocks.
        group: ``(E,)`` sum of the open group.
        position: ``(E,)`` where the stream stands still.
        block: ``(E,)``

    Returns:
        Where a rest begins or ends, or `NONE`.
    """
    note_block(counters, group, position, block, UNIT)
    if counters.in_group >= GROUP:
        counters.returned = _has_returned(counters.squares, group / GROUP, position)
        end_group(counters, means, spreads, group, position, UNIT, GROUP)
    count = counters.count + 1
    if not counters.resting:
        if not counters.still:
            return NONE
        counters.resting, counters.moved = True, 0
        begun = count - GROUP * len(means) - LOOK_BACK
        return max(begun, count - counters.budget) if begun > counters.start + LOOK_BACK else NONE
    counters.moved = 0 if counters.still else counters.moved + 1
    if counters.moved < PATIENCE:
        return NONE
    if counters.returned:
        counters.moved = 0
        return NONE
    counters.resting = False
    return count - min(counters.moved, counters.budget)


@kernel(nogil=True)
def _has_returned(squares, mean, position):  # type: ignore[no-untyped-def]
    """Whether a group lies where the stream stood still last."""
    spread = max(squares / GROUP - square_of(mean), 0.0)
    return square_between(mean, position) <= JUMP * UNIT and spread <= LEAVING * SPREAD * UNIT
