"""Frozen: a unit that moved keeps exactly its values while others move on."""

from __future__ import annotations

from numba import njit

from kineseg_core.anomalies.rules.runs import advance_all

_LEAST_S, _LEAST_FRAMES = 0.3, 4.0
_MOVED_S = 1.0


@njit(cache=True, error_model="numpy", nogil=True)
def frozen(runs, moved, same, lost, rate, on):  # type: ignore[no-untyped-def]
    """Takes a frame in which something moved.

    Args:
        runs: Of equal frames, see `Runs`.
        moved: ``(U,)`` frames in which each unit moved: one that never did is part of the set-up.
        same: ``(U,)`` bool.
        lost: ``(U,)`` bool.
        rate: Frames a second.
        on: ``(U,)`` bool, written: where the rule holds.

    Returns:
        For how many units.
    """
    least = max(round(_LEAST_S * rate), _LEAST_FRAMES)
    return advance_all(runs, moved, same, lost, least, _MOVED_S * rate, rate, on)
