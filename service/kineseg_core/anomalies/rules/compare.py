"""What the exact rules are about: units that are lost, units that are equal to the last frame's, and its hash."""

from __future__ import annotations

import math

from kineseg_core.kernels import kernel

_LARGEST = 1e12  # what is larger is no measurement, and its square might not be a number
_STEPS, _FORGOTTEN = 5000.0, 1.0001  # changes that the mean is of; what the least one grows by with each
_PRIME, _OFFSET = 0x01000193, 0x811C9DC5  # FNV-1a of 32 bits


@kernel()
def compare(frame, before, lost, same, steps, bits):  # type: ignore[no-untyped-def]
    """Compares a frame to the one before it, and puts it in that one's place.

    Args:
        frame: ``(U, D)`` the new one; NaN: lost.
        before: ``(U, D)`` float64: the last value of each number, NaN before there is one.
        lost: ``(U,)`` bool, written: a number of the unit is lost.
        same: ``(U,)`` bool, written: no number of the unit is lost or differs from its last value.
        steps: ``(U, 3)`` of each unit's numbers that change: the least change, the mean one, and how many there were.
        bits: ``(U, D)`` int64, the frame's own bits.

    Returns:
        Units that are lost, units that are the same, and a hash of the frame of 16 bits that is never 0.
    """
    n_lost, n_same, code = 0, 0, _OFFSET
    for unit in range(frame.shape[0]):
        lost[unit], same[unit] = False, True
        for i in range(frame.shape[1]):
            value = frame[unit, i]
            if math.isnan(value):
                lost[unit] = True
            else:
                value = min(max(value, -_LARGEST), _LARGEST)
                if value != before[unit, i]:
                    same[unit] = False
                    _see_step(steps[unit], abs(value - before[unit, i]))
                before[unit, i] = value
        if lost[unit]:
            same[unit] = False
            n_lost += 1
        n_same += same[unit]
        for i in range(frame.shape[1]):
            code_of = bits[unit, i]
            for word in (code_of & 0xFFFFFFFF, (code_of >> 32) & 0xFFFFFFFF):
                code = ((code ^ word) * _PRIME) & 0xFFFFFFFF
                code ^= code >> 15
    return n_lost, n_same, max((code ^ (code >> 16)) & 0xFFFF, 1)


@kernel()
def _see_step(steps, change):  # type: ignore[no-untyped-def]
    """Takes by how much a number has changed; NaN: it is the first."""
    if not math.isnan(change):
        steps[0] = change if steps[2] == 0.0 else min(steps[0] * _FORGOTTEN, change)
        steps[2] = min(steps[2] + 1.0, _STEPS)
        steps[1] += (change - steps[1]) / steps[2]
