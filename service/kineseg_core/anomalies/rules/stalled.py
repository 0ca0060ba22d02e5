"""Stalled: the whole source gives the same frame again and again."""

from __future__ import annotations

from numba import njit

from kineseg_core.anomalies.rules.runs import advance

_LEAST_S, _LEAST_FRAMES = 0.2, 3.0


@njit(cache=True, error_model="numpy", nogil=True)
def stalled(runs, all_same, rate):  # type: ignore[no-untyped-def]
    """Takes a frame; ``runs`` are those of one unit, see `Runs`. Returns whether the rule holds."""
    return advance(runs, 0, all_same, max(round(_LEAST_S * rate), _LEAST_FRAMES), rate)
