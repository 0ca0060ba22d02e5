"""How unlike what comes before a candidate is to what comes after it, each taken as a whole."""

from __future__ import annotations

import math

import numpy as np

from kineseg_core.boundary_network.layout import REACH, VIEWS
from kineseg_core.boundary_network.log_distance import LARGEST_LOG, LOG_STEPS
from kineseg_core.kernels import kernel

NO_DISCREPANCY = 0.5
"""Where there is not enough on one side."""

# By log distance less the unit, from the least to the largest there can be; in whole steps, so that sums have the same
# bits in any order.
_STEPS = 1 << 20
_SIMILARITY = np.round(np.exp(-np.exp(np.arange(-LARGEST_LOG, LARGEST_LOG + 1) / (0.5 * LOG_STEPS))) * _STEPS).astype(
    np.int64
)


@kernel(nogil=True)
def discrepancy(logs, view, oldest, floor, candidate, width, unit):  # type: ignore[no-untyped-def]
    """Root of the squared maximum mean discrepancy between the `width` blocks on either side of a candidate.

    The kernel is Gaussian and as wide as the local unit (Gretton et al. 2012, "A kernel two-sample test").

    Args:
        logs: ``(REACH, REACH * VIEWS)`` uint8, see `append_block`.
        view: Which view.
        oldest: Place of the oldest block in it.
        floor: The least that any distance is.
        candidate: Which block, counted from the oldest, may begin a segment; those on both sides must be there.
        width: Blocks on either side.
        unit: The local unit, steps.

    Returns:
        That, 0 to about 1.4.
    """
    offset = LARGEST_LOG - min(max(round(unit), 0), LARGEST_LOG)
    similar = _SIMILARITY[offset : offset + LARGEST_LOG + 1]
    places = np.empty(2 * width, np.int64)
    for t in range(2 * width):
        places[t] = (oldest + candidate - width + t) % REACH
    within, across = width * _STEPS, 0
    for t in range(2 * width):
        row = logs[places[t]]
        for s in range(width if t >= width else 0, t):
            within += similar[max(row[VIEWS * places[s] + view], floor)]
        if t >= width:
            for s in range(width):
                across += similar[max(row[VIEWS * places[s] + view], floor)]
    return math.sqrt(max(2.0 * (within - across) / _STEPS, 0.0)) / width
