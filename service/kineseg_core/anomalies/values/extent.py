"""How large a body is in the source's units, from its first seconds."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel

_FIRST_S, _EVERY_S = 3.0, 0.25
_LEAST = 1e-9


class BodyExtent(NamedTuple):
    """The median of the first three seconds of the longest side of the box around the body.

    Attributes:
        value: ``(1,)`` as far as is known.
        seen: ``(n,)`` what it is the median of.
        counts: ``(2,)`` rows so far, and how many have been seen.
    """

    value: NDArray[np.float64]
    seen: NDArray[np.float64]
    counts: NDArray[np.int64]


def new_extent() -> BodyExtent:
    """No body has been seen yet."""
    return BodyExtent(np.ones(1), np.zeros(round(_FIRST_S / _EVERY_S) + 1), np.zeros(2, np.int64))


@kernel(inlined=True)
def see_extent(extent, frame, rate):  # type: ignore[no-untyped-def]
    """Takes a frame ``(3, J)``, NaN: unknown, of so many rows a second."""
    row, seen = extent.counts[0], extent.counts[1]
    if row > max(1, round(_FIRST_S * rate)):
        return
    extent.counts[0] += 1
    if row % max(1, round(_EVERY_S * rate)) == 0 and seen < len(extent.seen):
        _see(extent, frame, seen)


@kernel()
def _see(extent, frame, seen):  # type: ignore[no-untyped-def]
    longest = 0.0
    for axis in range(3):
        low, high = math.inf, -math.inf
        for joint in range(frame.shape[1]):
            if not (math.isnan(frame[0, joint]) or math.isnan(frame[1, joint]) or math.isnan(frame[2, joint])):
                low, high = min(low, frame[axis, joint]), max(high, frame[axis, joint])
        longest = max(longest, high - low)
    if longest > _LEAST:
        extent.seen[seen] = longest
        extent.counts[1] = seen + 1
        extent.value[0] = np.median(extent.seen[: seen + 1])
