"""Stalled: the whole source gives the same frame again and again, and has not always done so."""

from __future__ import annotations

from kineseg_core.anomalies.rules.runs import advance, age
from kineseg_core.kernels import kernel

_LEAST_S, _LEAST_FRAMES = 0.2, 3.0
_MOVED_S = 0.5


@kernel(inlined=True)
def stalled(runs, moved, all_same, rate):  # type: ignore[no-untyped-def]
    """Takes a frame.

    Args:
        runs: Of equal frames, of one unit, see `Runs`.
        moved: ``(1,)`` frames so far that were not the last one again: a source that has only begun is given time.
        all_same: Whether this one is.
        rate: Frames a second.

    Returns:
        Whether the rule holds.
    """
    moved[0] += not all_same
    if (
        moved[0] < _MOVED_S * rate
    ):  # nothing is learnt of how long it usually stands; a constant one is as it was set up
        return False
    age(runs, rate)
    return advance(runs, 0, all_same, max(round(_LEAST_S * rate), _LEAST_FRAMES), rate)
