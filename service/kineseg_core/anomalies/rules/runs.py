"""How long something must last until chance and the source's own habits no longer explain it.

Of Bernoulli trials with probability p, a run of n comes about once in p^-n: with p from the repeats so far (rule of
succession), a run is needed that chance brings once in e^20. Runs that were too short for an alarm but are usual
triple what is needed; so do alarms that come again and again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_CHANCE_NATS = 20.0
_USUAL_SHARE = 0.01
_USUAL_LOUD = 4.0
_HALF_LIFE_S = 600.0
_LONGEST_QUIET_S, _LONGEST_LOUD_S, _COUNTED_S = 2.0, 4.0, 1.0


class Runs(NamedTuple):
    """Runs of U units.

    Attributes:
        run: ``(U,)`` frames of the present run; 0: none.
        repeats: ``(U,)`` frames in runs so far that were too short for an alarm, forgotten with time.
        frames: ``(U,)`` frames so far, forgotten alike.
        quiet: ``(U,)`` longest run without alarm, frames.
        loud: ``(U,)`` longest run with an alarm, frames.
        louds: ``(U,)`` number of runs with an alarm, forgotten alike.
        alarmed: ``(U,)`` 1 while the present run is an alarm.
    """

    run: F64
    repeats: F64
    frames: F64
    quiet: F64
    loud: F64
    louds: F64
    alarmed: F64


def new_runs(units: int) -> Runs:
    """Nothing has been seen yet."""
    return Runs(*(np.zeros(units) for _ in Runs._fields))


@njit(cache=True, error_model="numpy", nogil=True)
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
    runs.frames[unit] = runs.frames[unit] * kept + 1.0
    runs.repeats[unit] *= kept
    runs.louds[unit] *= kept
    if not on:
        if runs.run[unit] > 0:
            _end(runs, unit, rate)
        return False
    runs.run[unit] += 1.0
    if runs.alarmed[unit]:
        return True
    chance = min((runs.repeats[unit] + 2.0) / (runs.frames[unit] + 20.0), 0.95)
    needed = max(base, _CHANCE_NATS / -math.log(chance))
    if runs.repeats[unit] > _USUAL_SHARE * runs.frames[unit]:
        needed = max(needed, 3.0 * runs.quiet[unit])
    if runs.louds[unit] > _USUAL_LOUD - 1.0:
        needed = max(needed, 3.0 * runs.loud[unit])
    if runs.run[unit] < needed:
        return False
    runs.alarmed[unit] = 1.0
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _end(runs, unit, rate):  # type: ignore[no-untyped-def]
    if runs.alarmed[unit]:
        runs.louds[unit] += 1.0
        runs.loud[unit] = max(runs.loud[unit], min(runs.run[unit], _LONGEST_LOUD_S * rate))
    else:
        runs.repeats[unit] += min(runs.run[unit], _COUNTED_S * rate)
        runs.quiet[unit] = max(runs.quiet[unit], min(runs.run[unit], _LONGEST_QUIET_S * rate))
    runs.run[unit] = 0.0
    runs.alarmed[unit] = 0.0
