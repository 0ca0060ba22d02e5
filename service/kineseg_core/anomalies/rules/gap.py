"""Gap: no frame came for longer than two and a half times the usual interval.

A source that is slower than it says is judged by its own pace, and one that has lost frames four times in ten minutes
by its longest gap so far.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

_LONG = 2.5
_LEARNT = 0.01
_USUAL_LONG = 3.0
_USUAL = 4.0
_HALF_LIFE_S = 600.0
_LONGEST_S = 4.0

PACE = np.dtype([("interval_s", np.float64), ("gaps", np.float64), ("longest_s", np.float64)])
"""Usual time between frames; gaps so far, forgotten with time; the longest of them."""

Pace = NDArray[np.void]
"""``(1,)`` of `PACE`."""


def new_pace(rate_hz: float) -> Pace:
    """Of a source that says it sends so many frames a second."""
    return np.array([(1.0 / rate_hz, 0.0, 0.0)], PACE)


@kernel(inlined=True)
def gap(pace, interval_s, rate):  # type: ignore[no-untyped-def]
    """Whether there was a gap before a frame that came `interval_s` after the last one.

    Args:
        pace: See `PACE`.
        interval_s: Seconds.
        rate: Frames a second that the source says it sends.
    """
    long_s = _LONG * max(pace[0].interval_s, 1.0 / rate)
    needed_s = long_s
    if pace[0].gaps > 0.0:
        pace[0].gaps *= 0.5 ** (interval_s / _HALF_LIFE_S)
        if pace[0].gaps > _USUAL - 1.0:
            needed_s = max(needed_s, _USUAL_LONG * pace[0].longest_s)
    # A gap counts as no more than the least that is one: the pace of a source that slows down is still learnt.
    pace[0].interval_s += _LEARNT * (min(interval_s, long_s) - pace[0].interval_s)
    if interval_s > long_s:
        pace[0].gaps += 1.0
        pace[0].longest_s = max(pace[0].longest_s, min(interval_s, _LONGEST_S))
    return interval_s > needed_s
