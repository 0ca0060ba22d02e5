"""Where frames are missing."""

from __future__ import annotations

import numpy as np

from kineseg_core.intake.resampling import I64
from kineseg_core.intake.taken import GapFound

# A hole between two capture times counts as a gap from this many frame periods on.
_HOLE_PERIODS = 2.5


def find_gaps(first: int, times: I64, lost: int, before_ns: int, period: float, most_ns: int) -> dict[int, GapFound]:
    """Gaps before frames of a chunk, by the place of the frame after each.

    Args:
        first: Number of its first frame.
        times: ``(n,)`` of its frames, nanoseconds.
        lost: How many numbers were passed over before the first.
        before_ns: Time of the frame before it; its own if there is none.
        period: Nanoseconds from one frame to the next.
        most_ns: Longer gaps cut the stream.
    """
    places = set(np.flatnonzero(np.diff(times, prepend=before_ns) > int(_HOLE_PERIODS * period)).tolist())
    gaps = {}
    for at in sorted(places | ({0} if lost else set())):
        last, now = int(times[at - 1]) if at else before_ns, int(times[at])
        counted = lost if at == 0 else 0
        missing = counted or max(1, round((now - last) / period) - 1)
        begins = last + (now - last) // (missing + 1)
        cuts = max(now - last, counted * period) > most_ns
        gaps[at] = GapFound(first + at - counted, begins, missing, now - last, first + at, now, cuts)
    return gaps
