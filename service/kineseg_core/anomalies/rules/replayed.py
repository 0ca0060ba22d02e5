"""Late: a unit repeats exactly what it did a moment before while the others do not, as one whose data has been held up.

It shows from the moment at which the unit falls behind, for as long as it is behind.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.anomalies.rules.runs import forget
from kineseg_core.kernels import kernel

_LATEST_S, _MOST_LAGS, _LEAST_LAG = 0.6, 64, 2
_SETTLED_S = 5.0
_LEAST_S, _LEAST_FRAMES = 0.15, 4.0
_CHANCE_NATS = 20.0
_HALF_LIFE_S = 600.0
_CHANCE, _PRIOR = 0.003, 20.0
"""How often a run of equal values goes on by chance, and how many times of that have been seen, before any has."""
_USUAL = 3.0
"""Alarms in about ten minutes from which on more is needed."""
_EXACT = 1e-6
"""Rounding in 32 bits, relative to the distance from the origin."""
_MOVES = np.float32(20.0)
"""Times that by which a unit that moves must have moved."""
_FACTORS = (1.0, 1.7320508, 2.2360680)


class Replays(NamedTuple):
    """Of U units and L lags.

    Attributes:
        keys: ``(U, L)`` ring of one number for each unit and frame: a sum of its numbers, relative to the root.
        newest, near: ``(U,)`` that of the newest frame, and by how much one that is the same may differ from it.
        runs: ``(U, L)`` frames in a row that were the same as those so many frames before.
        running: ``(U,)`` whether any of these is not 0.
        has_past: ``(1,)`` whether any of the next three is not 0.
        ran, went_on: ``(U,)`` frames of runs that are over, and how many went on; forgotten with time.
        alarms: ``(U,)`` so far, forgotten with time.
        lag: ``(U,)`` of the present alarm, frames; 0: none.
        frames: ``(1,)`` so far.
        on: ``(U,)`` where the rule holds.
    """

    keys: NDArray[np.float32]
    newest: NDArray[np.float32]
    near: NDArray[np.float32]
    runs: NDArray[np.int16]
    running: NDArray[np.bool_]
    has_past: NDArray[np.bool_]
    ran: NDArray[np.float32]
    went_on: NDArray[np.float32]
    alarms: NDArray[np.float32]
    lag: NDArray[np.int16]
    frames: NDArray[np.int64]
    on: NDArray[np.bool_]


def new_replays(units: int, rate_hz: float) -> Replays:
    """Nothing has been seen yet."""
    lags = max(4, min(_MOST_LAGS, round(_LATEST_S * rate_hz) + 1))
    return Replays(
        np.full((units, lags), np.nan, np.float32),
        np.zeros(units, np.float32),
        np.zeros(units, np.float32),
        np.zeros((units, lags), np.int16),
        np.zeros(units, bool),
        np.zeros(1, bool),
        np.zeros(units, np.float32),
        np.zeros(units, np.float32),
        np.zeros(units, np.float32),
        np.zeros(units, np.int16),
        np.zeros(1, np.int64),
        np.zeros(units, bool),
    )


@kernel(inlined=True)
def replayed(state, filled, lost, root, rate):  # type: ignore[no-untyped-def]
    """Takes a frame that is not the last one again.

    Args:
        state: See `Replays`.
        filled: ``(D, U)`` last known values.
        lost: ``(U,)`` bool.
        root: The unit that places are relative to; -1: none.
        rate: Frames a second.

    Returns:
        For how many units the rule holds; 0 if it is most of them, which is a loop.
    """
    keys, on = state.keys, state.on
    size, count = keys.shape[1], state.frames[0]
    row = count % size
    last = row - 1 if row else size - 1
    if state.has_past[0]:
        kept = 1.0 - math.log(2.0) / (_HALF_LIFE_S * rate)
        forget(state.ran, kept)
        forget(state.went_on, kept)
        forget(state.alarms, kept)
    _see(filled, root, state.newest, state.near)
    found = 0
    for unit in range(len(on)):
        key, near = state.newest[unit], state.near[unit]
        moves = abs(key - keys[unit, last]) > _MOVES * near  # not where it is NaN
        again = moves and _any_near(keys[unit], key, near)
        keys[unit, row] = key
        if unit == root or lost[unit]:
            on[unit] = False
            state.lag[unit] = 0
            if state.running[unit]:
                state.runs[unit, :] = 0
                state.running[unit] = False
        elif moves and (again or state.running[unit]):  # one that stands is the same at every lag
            _follow(state, unit, row, key, near, rate)
        found += on[unit]
    state.frames[0] = count + 1
    return found if 2 * found <= len(on) else 0


@kernel(inlined=True)
def _see(filled, root, newest, near):  # type: ignore[no-untyped-def]
    """Writes of each unit the number that stands for its place, and by how much two of the same place may differ."""
    near[:] = 0.0
    newest[:] = 0.0
    for i in range(len(filled)):
        places, factor = filled[i], _FACTORS[i]
        origin = places[root] if root >= 0 else 0.0
        for unit in range(len(newest)):
            newest[unit] += np.float32(factor * (places[unit] - origin))
        for unit in range(len(newest)):
            near[unit] += np.float32(_EXACT * (abs(places[unit]) + abs(origin)))


@kernel(inlined=True)
def _any_near(keys, key, near):  # type: ignore[no-untyped-def]
    """Whether any of them is the same as a key; without a branch, as hardly ever one is."""
    found = False
    for i in range(len(keys)):
        found |= abs(key - keys[i]) <= near
    return found


@kernel()
def _follow(state, unit, row, key, near, rate):  # type: ignore[no-untyped-def]
    """Lengthens and ends the runs of a unit that moves, and begins and ends its alarm."""
    keys, runs, on = state.keys[unit], state.runs[unit], state.on
    size = len(keys)
    longest, longest_lag, running = 0, 0, False
    for lag in range(_LEAST_LAG, size):
        at = row - lag if lag <= row else row - lag + size
        if abs(key - keys[at]) <= near:
            runs[lag] = min(runs[lag] + 1, 30000)
            running = True
            if runs[lag] > longest:
                longest, longest_lag = runs[lag], lag
        elif runs[lag] > 0:
            if not on[unit]:
                state.has_past[0] = True
                state.ran[unit] += runs[lag]
                state.went_on[unit] += runs[lag] - 1
            runs[lag] = 0
    state.running[unit] = running
    if on[unit]:
        if runs[state.lag[unit]] == 0:
            on[unit] = False
            state.lag[unit] = 0
    elif state.frames[0] > _SETTLED_S * rate:
        goes_on = min((state.went_on[unit] + _PRIOR * _CHANCE) / (state.ran[unit] + _PRIOR), 0.95)
        base = max(math.ceil(_LEAST_S * rate), _LEAST_FRAMES)
        needed = max(base, (_CHANCE_NATS + math.log(size)) / -math.log(goes_on))
        needed *= max(1.0, state.alarms[unit] / _USUAL)
        if longest >= needed:
            on[unit] = state.has_past[0] = True
            state.lag[unit] = longest_lag
            state.alarms[unit] += 1.0
