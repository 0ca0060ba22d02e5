"""What the exact rules are about: units that are lost, units that are equal to the last frame's, and its hash."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

F32 = NDArray[np.float32]

_LARGEST = 1e12  # what is larger is no measurement, and its square might not be a number
_STEPS, _FORGOTTEN = np.float32(5000.0), np.float32(1.0001)
"""Changes that the mean is of; what the least one grows by with each."""
_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_ODD, _NEXT_ODD = 0x1E3779B97F4A7C15, 0x2545F4914F6CDD1E  # these and their sums are odd


class Steps(NamedTuple):
    """By how much the D numbers of U units change, where they do.

    Attributes:
        least, mean: ``(U,)`` the least change, and the mean one.
        seen: ``(U,)`` how many there were.
        now: ``(D, U)`` the newest frame, axis after axis; nothing is kept in it.
        change: ``(U,)`` of one axis; nothing is kept in it.
    """

    least: F32
    mean: F32
    seen: F32
    now: NDArray[np.float64]
    change: F32


def new_steps(units: int, numbers: int) -> Steps:
    """Nothing has changed yet."""
    return Steps(
        np.full(units, np.inf, np.float32),
        np.zeros(units, np.float32),
        np.zeros(units, np.float32),
        np.zeros((numbers, units)),
        np.zeros(units, np.float32),
    )


@kernel(inlined=True)
def compare(frame, before, lost, same, steps, bits):  # type: ignore[no-untyped-def]
    """Compares a frame to the one before it, and puts it in that one's place.

    Args:
        frame: ``(U, D)`` the new one; NaN: lost.
        before: ``(D, U)`` float64: the last value of each number, NaN before there is one.
        lost: ``(U,)`` bool, written: a number of the unit is lost.
        same: ``(U,)`` bool, written: no number of the unit is lost or differs from its last value.
        steps: See `Steps`.
        bits: ``(U, D)`` int64, the frame's own bits.

    Returns:
        Units that are lost, units that are the same, and a hash of the frame of 16 bits that is never 0.
    """
    n_lost, n_same, now = 0, 0, steps.now
    _part(frame.reshape(-1), now)
    if _all_changed(now.reshape(-1), before.reshape(-1)):
        lost[:] = False
        same[:] = False
    else:
        for unit in range(len(lost)):
            lost[unit], same[unit] = False, True
            for i in range(len(now)):
                now[i, unit] = _bounded(now[i, unit])
                lost[unit] |= math.isnan(now[i, unit])
                same[unit] &= now[i, unit] == before[i, unit]
            n_lost += lost[unit]
            n_same += same[unit]
    for i in range(len(now)):
        _see_steps(steps, now[i], before[i])
    _put(now.reshape(-1), before.reshape(-1))
    return n_lost, n_same, _hash(bits.reshape(-1))


@kernel(inlined=True)
def _part(numbers, now):  # type: ignore[no-untyped-def]
    """Puts the numbers of a frame, unit after unit, axis after axis; of one axis and of three many at once."""
    axes, units = now.shape
    if axes == 1:
        only = now[0]
        for unit in range(units):
            only[unit] = numbers[unit]
    elif axes == 3:
        x, y, z = now[0], now[1], now[2]
        for unit in range(units):
            x[unit], y[unit], z[unit] = numbers[3 * unit], numbers[3 * unit + 1], numbers[3 * unit + 2]
    else:
        for unit in range(units):
            for i in range(axes):
                now[i, unit] = numbers[axes * unit + i]


@kernel(inlined=True)
def _bounded(value):  # type: ignore[no-untyped-def]
    return min(max(value, -_LARGEST), _LARGEST)


@kernel(inlined=True)
def _all_changed(numbers, before):  # type: ignore[no-untyped-def]
    """Whether none is lost, too large or equal to what it was, as in most frames; without a branch."""
    otherwise = False
    for i in range(len(numbers)):
        otherwise |= (not abs(numbers[i]) <= _LARGEST) | (numbers[i] == before[i])
    return not otherwise


@kernel(inlined=True)
def _put(numbers, before):  # type: ignore[no-untyped-def]
    """Where a number is lost, the last one stays."""
    for i in range(len(numbers)):
        before[i] = before[i] if math.isnan(numbers[i]) else numbers[i]


@kernel(inlined=True)
def _see_steps(steps, now, before):  # type: ignore[no-untyped-def]
    """Of one number of each unit."""
    change, least, mean, seen = steps.change, steps.least, steps.mean, steps.seen
    for unit in range(len(change)):
        change[unit] = abs(now[unit] - before[unit])
    for unit in range(len(change)):  # where it is not NaN: the number is lost, or the first
        least[unit] = min(least[unit] * _FORGOTTEN, change[unit]) if change[unit] > _ZERO else least[unit]
    for unit in range(len(change)):
        changed, more = change[unit] > _ZERO, min(seen[unit] + _ONE, _STEPS)
        mean[unit] = mean[unit] + (change[unit] - mean[unit]) / more if changed else mean[unit]
        seen[unit] = more if changed else seen[unit]


@kernel(inlined=True)
def _hash(words):  # type: ignore[no-untyped-def]
    """16 bits of a sum of all words, each times a number of its own; never 0."""
    total = 0
    for i in range(len(words)):
        total += (words[i] ^ (words[i] >> 32)) * (_ODD + i * _NEXT_ODD)
    total = (total ^ (total >> 32)) * _ODD
    return max((total >> 48) & 0xFFFF, 1)
