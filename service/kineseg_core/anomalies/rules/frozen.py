"""Frozen: a unit that moved keeps exactly its values while others move on.

A unit of coarse resolution, whose changes are mostly a few of its least ones, keeps its value whenever it comes to
rest: it must do so for longer than one that has never been seen to.
"""

from __future__ import annotations

import math

from kineseg_core.anomalies.rules.runs import CHANCE_NATS, advance, age
from kineseg_core.kernels import kernel

_LEAST_S, _LEAST_FRAMES = 0.25, 4.0
_MOVED_S = 1.0
_COARSE = 50.0
"""Least changes that the mean change of a unit is fewer than, if it is coarse: of others the least one goes on
shrinking."""
_RESTS = 0.7
"""How often a coarse unit at rest may keep its value from one frame to the next, however it has been so far."""


@kernel(inlined=True)
def frozen(runs, moved, same, n_same, lost, steps, rate, on):  # type: ignore[no-untyped-def]
    """Takes a frame in which something moved.

    Args:
        runs: Of equal frames, see `Runs`.
        moved: ``(U,)`` frames in which each unit moved, while it matters: one that never did is part of the set-up.
        same: ``(U,)`` bool.
        n_same: How many of these are true.
        lost: ``(U,)`` bool.
        steps: See `Steps`.
        rate: Frames a second.
        on: ``(U,)`` bool, written: where the rule holds.

    Returns:
        For how many units.
    """
    age(runs, rate)
    if runs.counting[0]:
        runs.counting[0] = False
        for unit in range(len(same)):
            moved[unit] += 0.0 if same[unit] or lost[unit] else 1.0
            runs.counting[0] |= moved[unit] < _MOVED_S * rate
    if not (n_same or runs.running[0]):  # nor was any a frame ago, and the rule holds nowhere
        return 0
    least = max(round(_LEAST_S * rate), _LEAST_FRAMES)
    longer = max(least, CHANCE_NATS / -math.log(_RESTS))
    found = 0
    for unit in range(len(same)):
        needed = math.inf
        if moved[unit] >= _MOVED_S * rate:  # what always was so is part of the set-up
            needed = longer if steps.mean[unit] < _COARSE * steps.least[unit] else least
        on[unit] = advance(runs, unit, same[unit], needed, rate)
        found += on[unit]
    return found
