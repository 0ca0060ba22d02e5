"""How long something must last until chance and the source's own habits no longer explain it.

Of trials that succeed again with probability p, a run of n comes about once in p^-n: with p from the repeats so far,
after any frame or after another one, whichever is more, a run is needed that chance brings once in e^20. Runs that were
too short for an alarm but are usual triple what is needed; so do alarms that come again and again.
"""

from __future__ import annotations

import math
from typing import NamedTuple

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
_NONE_LEFT = 1e-20
"""What is forgotten so far is forgotten altogether: numbers near the least that there are take long to reckon with."""
_LONGEST_QUIET_S, _LONGEST_LOUD_S, _COUNTED_S = 2.0, 4.0, 1.0


F32 = NDArray[np.float32]


class Runs(NamedTuple):
    """Runs of U units.

    Attributes:
        frames: ``(1,)`` so far, forgotten with time.
        running: ``(1,)`` how many units have a run now.
        counting: ``(1,)`` whether some units have not been there for long enough to have an alarm.
        run: ``(U,)`` the present run, frames; 0: none.
        has_past: ``(1,)`` whether any of the next three is not 0.
        repeats: ``(U,)`` frames in runs so far that were too short for an alarm, forgotten with time.
        quiets: ``(U,)`` number of these runs, forgotten alike.
        louds: ``(U,)`` number of runs with an alarm, forgotten alike.
        quiet, loud: ``(U,)`` the longest run without and with an alarm, frames.
        alarmed: ``(U,)`` whether the present run is an alarm.
    """

    frames: NDArray[np.float64]
    running: NDArray[np.int64]
    counting: NDArray[np.bool_]
    run: F32
    has_past: NDArray[np.bool_]
    repeats: F32
    quiets: F32
    louds: F32
    quiet: F32
    loud: F32
    alarmed: NDArray[np.bool_]


def new_runs(units: int) -> Runs:
    """Nothing has been seen yet."""

    def zeros() -> F32:
        return np.zeros(units, np.float32)

    return Runs(
        frames=np.zeros(1),
        running=np.zeros(1, np.int64),
        counting=np.ones(1, bool),
        run=zeros(),
        has_past=np.zeros(1, bool),
        repeats=zeros(),
        quiets=zeros(),
        louds=zeros(),
        quiet=zeros(),
        loud=zeros(),
        alarmed=np.zeros(units, bool),
    )


@kernel(inlined=True)
def forget(counts, kept):  # type: ignore[no-untyped-def]
    """Takes counts ``(U,)`` times a factor a little below 1."""
    for unit in range(len(counts)):
        left = counts[unit] * kept
        counts[unit] = left if left > _NONE_LEFT else 0.0


@kernel(inlined=True)
def age(runs, rate):  # type: ignore[no-untyped-def]
    """A frame of all units has come, of so many a second."""
    kept = 1.0 - math.log(2.0) / (_HALF_LIFE_S * rate)
    runs.frames[0] = runs.frames[0] * kept + 1.0
    if runs.has_past[0]:
        forget(runs.repeats, kept)
        forget(runs.quiets, kept)
        forget(runs.louds, kept)


@kernel(inlined=True)
def advance(runs, unit, on, base, rate):  # type: ignore[no-untyped-def]
    """Takes a frame of one unit. A unit without a run needs none in which `on` is false.

    Args:
        runs: See `Runs`; they have been aged by this frame.
        unit: Which.
        on: Whether what is looked for holds in this frame.
        base: Frames that are needed at least.
        rate: Frames a second.

    Returns:
        Whether the run has become an alarm, or still is one.
    """
    if on:
        return _go_on(runs, unit, base, rate)
    if runs.run[unit] > 0:
        _end(runs, unit, rate)
    return False


@kernel()
def _go_on(runs, unit, base, rate):  # type: ignore[no-untyped-def]
    runs.running[0] += runs.run[unit] == 0
    runs.run[unit] += 1.0
    if runs.alarmed[unit]:
        return True
    frames, repeats, quiets = runs.frames[0], runs.repeats[unit], runs.quiets[unit]
    again = (repeats - quiets + _AGAIN * _PRIOR) / (repeats + _PRIOR)
    chance = min(max(again, (repeats + 2.0) / (frames + 20.0)), 0.95)
    needed = max(base, CHANCE_NATS / -math.log(chance))
    if repeats > _USUAL_SHARE * frames:
        needed = max(needed, 3.0 * runs.quiet[unit])
    if repeats > _COARSE_SHARE * (frames - runs.run[unit]):
        needed = max(needed, _COARSE_S * rate)
    if runs.louds[unit] > _USUAL_LOUD - 1.0:
        needed = max(needed, 3.0 * runs.loud[unit])
    if runs.run[unit] < needed:
        return False
    runs.alarmed[unit] = True
    return True


@kernel()
def _end(runs, unit, rate):  # type: ignore[no-untyped-def]
    runs.has_past[0] = True
    if runs.alarmed[unit]:
        runs.louds[unit] += 1.0
        runs.loud[unit] = max(runs.loud[unit], min(runs.run[unit], _LONGEST_LOUD_S * rate))
    else:
        runs.repeats[unit] += min(runs.run[unit], _COUNTED_S * rate)
        runs.quiets[unit] += 1.0
        runs.quiet[unit] = max(runs.quiet[unit], min(runs.run[unit], _LONGEST_QUIET_S * rate))
    runs.run[unit] = 0.0
    runs.running[0] -= 1
    runs.alarmed[unit] = False
