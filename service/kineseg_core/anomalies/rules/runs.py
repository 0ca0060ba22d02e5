"""How long something must last until chance and the source's own habits no longer explain it.

Of trials that succeed again with probability p, a run of n comes about once in p^-n: with p from the repeats so far,
after any frame or after another one, whichever is more, a run is needed that chance brings once in e^20. Runs that were
too short for an alarm but are usual triple what is needed; so do alarms that come again and again.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

CHANCE_NATS = 20.0
"""How rare a run must be by chance."""
_AGAIN, _PRIOR = 0.005, 4.0
"""How often a repeat is repeated again, and of how many that has been seen, before any has been."""
_USUAL_SHARE = 0.01
_USUAL_LOUD = 4.0
_COARSE_SHARE, _COARSE_S = 0.2, 10.0
"""Of a unit with so many repeats, which has a few levels only, a run must last for so long."""
_HALF_LIFE_S = 600.0
_LONGEST_QUIET_S, _LONGEST_LOUD_S, _COUNTED_S = 2.0, 4.0, 1.0


RUN = np.dtype(
    [
        ("run", np.float64),
        ("repeats", np.float64),
        ("frames", np.float64),
        ("quiets", np.float64),
        ("quiet", np.float64),
        ("loud", np.float64),
        ("louds", np.float64),
        ("alarmed", np.bool_),
    ],
    align=True,
)
"""Runs of a unit, all but the last in frames: the present run (0: none); in runs so far that were too short for an
alarm, forgotten with time; so far, forgotten alike; number of these runs, forgotten alike; the longest run without and
with an alarm; number of runs with an alarm, forgotten alike; whether the present run is an alarm."""

Runs = NDArray[np.void]
"""``(U,)`` of `RUN`."""


def new_runs(units: int) -> Runs:
    """Nothing has been seen yet."""
    return np.zeros(units, RUN)


@kernel()
def advance(runs, unit, on, base, rate):  # type: ignore[no-untyped-def]
    """Takes a frame of one unit.

    Args:
        runs: See `Runs`.
        unit: Which.
        on: Whether what is looked for holds in this frame.
        base: Frames that are needed at least.
        rate: Frames a second.

    Returns:
        Whether the run has become an alarm, or still is one.
    """
    kept = 1.0 - math.log(2.0) / (_HALF_LIFE_S * rate)
    runs[unit].frames = runs[unit].frames * kept + 1.0
    if runs[unit].repeats > 0.0:
        runs[unit].repeats *= kept
        runs[unit].quiets *= kept
    if runs[unit].louds > 0.0:
        runs[unit].louds *= kept
    if on:
        return _go_on(runs, unit, base, rate)
    if runs[unit].run > 0:
        _end(runs, unit, rate)
    return False


@kernel()
def _go_on(runs, unit, base, rate):  # type: ignore[no-untyped-def]
    runs[unit].run += 1.0
    if runs[unit].alarmed:
        return True
    repeats, quiets = runs[unit].repeats, runs[unit].quiets
    again = (repeats - quiets + _AGAIN * _PRIOR) / (repeats + _PRIOR)
    chance = min(max(again, (repeats + 2.0) / (runs[unit].frames + 20.0)), 0.95)
    needed = max(base, CHANCE_NATS / -math.log(chance))
    if runs[unit].repeats > _USUAL_SHARE * runs[unit].frames:
        needed = max(needed, 3.0 * runs[unit].quiet)
    if repeats > _COARSE_SHARE * (runs[unit].frames - runs[unit].run):
        needed = max(needed, _COARSE_S * rate)
    if runs[unit].louds > _USUAL_LOUD - 1.0:
        needed = max(needed, 3.0 * runs[unit].loud)
    if runs[unit].run < needed:
        return False
    runs[unit].alarmed = True
    return True


@kernel()
def _end(runs, unit, rate):  # type: ignore[no-untyped-def]
    if runs[unit].alarmed:
        runs[unit].louds += 1.0
        runs[unit].loud = max(runs[unit].loud, min(runs[unit].run, _LONGEST_LOUD_S * rate))
    else:
        runs[unit].repeats += min(runs[unit].run, _COUNTED_S * rate)
        runs[unit].quiets += 1.0
        runs[unit].quiet = max(runs[unit].quiet, min(runs[unit].run, _LONGEST_QUIET_S * rate))
    runs[unit].run = 0.0
    runs[unit].alarmed = False
