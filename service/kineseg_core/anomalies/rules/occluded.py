"""Occluded: a unit that was seen has no values for a tenth of a second."""

from __future__ import annotations

import math

from kineseg_core.anomalies.rules.runs import advance, age
from kineseg_core.kernels import kernel

_LEAST_S, _LEAST_FRAMES = 0.1, 2.0
_SEEN_S = 1.0


@kernel(inlined=True)
def occluded(runs, seen, lost, n_lost, rate, on):  # type: ignore[no-untyped-def]
    """Takes a frame.

    Args:
        runs: Of lost frames, see `Runs`.
        seen: ``(U,)`` frames in which each unit was seen, while it matters: one that never was is not missed.
        lost: ``(U,)`` bool.
        n_lost: How many of these are true.
        rate: Frames a second.
        on: ``(U,)`` bool, written: where the rule holds.

    Returns:
        For how many units.
    """
    age(runs, rate)
    if runs.counting[0]:
        runs.counting[0] = False
        for unit in range(len(lost)):
            seen[unit] += 0.0 if lost[unit] else 1.0
            runs.counting[0] |= seen[unit] < _SEEN_S * rate
    if not (n_lost or runs.running[0]):  # nor was any a frame ago, and the rule holds nowhere
        return 0
    least = max(round(_LEAST_S * rate), _LEAST_FRAMES)
    found = 0
    for unit in range(len(lost)):
        needed = least if seen[unit] >= _SEEN_S * rate else math.inf  # what always was so is part of the set-up
        on[unit] = advance(runs, unit, lost[unit], needed, rate)
        found += on[unit]
    return found
