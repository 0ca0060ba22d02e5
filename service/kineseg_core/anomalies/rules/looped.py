"""Looped: frames come that have come before, one after another, as from a buffer that is read again.

A source that has begun is first watched for how often its frames repeat by themselves. One that goes to and fro between
a few frames flickers, which is no loop: a loop is longer than what shows it, and most of its frames are different ones.
"""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.anomalies.rules.runs import advance, age
from kineseg_core.kernels import kernel

_LEAST_S, _LEAST_FRAMES = 0.2, 4
_SETTLED_S = 5.0
_LOOKED_AT = 16
_AT_ONCE = 1024  # so many hashes are compared before the next ones are looked at


@kernel(inlined=True)
def looped(runs, hashes, position, code, rate):  # type: ignore[no-untyped-def]
    """Takes a frame that is not the last one again.

    Args:
        runs: Of frames that have come before at the same lag; of one unit, see `Runs`.
        hashes: ``(N,)`` uint16 of the last N frames, a ring; 0: none. That a hundredth of all frames are taken for
            another one matters little where several must follow one another.
        position: ``(2,)`` int64: where the next hash goes, and the lag of the present run in frames (0: none).
        code: Hash of the frame.
        rate: Frames a second.

    Returns:
        Whether the rule holds.
    """
    at, lag = position[0], position[1]
    size, least = len(hashes), max(round(_LEAST_S * rate), _LEAST_FRAMES)
    if not (lag and hashes[(at - lag) % size] == code):
        if runs.run[0] > 0:
            age(runs, rate)
            advance(runs, 0, False, 0.0, rate)  # the run at the old lag is over
        found = _newest(hashes, code, 0, at - least + 1)
        if found < 0:
            found = _newest(hashes, code, at + 1, size + min(0, at - least + 1))
        lag = (at - found) % size if found >= 0 else 0
    hashes[at] = code
    position[0], position[1] = (at + 1) % size, lag
    needed = math.inf
    age(runs, rate)
    if runs.frames[0] >= _SETTLED_S * rate and (runs.run[0] + 1.0 < least or _is_varied(hashes, at, least)):
        needed = least
    return advance(runs, 0, lag > 0, needed, rate)


@kernel()
def _is_varied(hashes, at, count):  # type: ignore[no-untyped-def]
    """Whether more than half of the last frames, up to place `at`, differ from all others of them."""
    size, count, alone = len(hashes), min(count, _LOOKED_AT), 0
    for i in range(count):
        others = 0
        for j in range(count):
            others += i != j and hashes[(at - i) % size] == hashes[(at - j) % size]
        alone += others == 0
    return 2 * alone > count


@kernel(inlined=True)
def _newest(hashes, code, first, end):  # type: ignore[no-untyped-def]
    """The last place from `first` to before `end` that has this hash; -1: none."""
    code = np.uint16(code)
    while end > first:
        begin = max(first, end - _AT_ONCE)
        part = hashes[begin:end]
        if _has(part, code):
            for i in range(len(part) - 1, -1, -1):
                if part[i] == code:
                    return begin + i
        end = begin
    return -1


@kernel(inlined=True)
def _has(hashes, code):  # type: ignore[no-untyped-def]
    """Whether any of them is this one; without a branch, so that as many as possible are compared at once."""
    found = False
    for i in range(len(hashes)):
        found |= hashes[i] == code
    return found
