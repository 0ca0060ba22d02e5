"""How time around a candidate boundary is cut into pieces: finer near it, coarser away from it. In blocks of 0.1 s."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

VIEWS = 3
"""Views of a stream that are looked at, see `views`."""

_BEFORE = (10, 10, 10, 10, 5, 5, 5, 5, 4, 3, 2, 2, 1, 1, 1, 1)
_AFTER = (1, 1, 1, 1, 2, 2, 3, 4, 5, 5, 5)
WIDTHS: NDArray[np.int64] = np.array(_BEFORE + _AFTER)
EDGES: NDArray[np.int64] = np.concatenate([[0], np.cumsum(WIDTHS)]) - sum(_BEFORE)
"""``(PIECES + 1,)`` first block of each piece relative to the candidate, and the end of the last one."""

PIECES = len(WIDTHS)
PIECES_BEFORE = len(_BEFORE)
PAST, FUTURE = int(-EDGES[0]), int(EDGES[-1])
REACH = PAST + FUTURE
"""How many blocks are kept with all distances between them."""
NEAR_PAST = 35
"""How much of the past counts for the local unit of distance."""

LAGS: tuple[int, ...] = tuple(int(lag) for lag in np.cumsum(_AFTER) if lag >= 3)
"""After how many blocks from a candidate on it may be looked at: where a piece ends."""
LAG_PLACE: Mapping[int, int] = {lag: place for place, lag in enumerate(LAGS)}


def pieces_known(lag: int) -> int:
    """How many pieces have all come `lag` blocks after the candidate, those before it included."""
    return PIECES_BEFORE + int(np.searchsorted(np.cumsum(_AFTER), lag, side="right"))


PATCH_RANGE = (-3.0, 2.0)
"""Of log distances relative to the local unit; beyond, they say no more."""
UNIT_RANGE = (-4.0, 2.0)
"""Of the local unit over the scale, log."""

COMPARED = 2
"""Views, the first ones, of which the kernel discrepancy is taken."""
DISCREPANCY_WIDTH = 30
"""Blocks on either side of a candidate between which the kernel discrepancy is taken."""

COARSE: tuple[int, ...] = (2, 4)
"""How many blocks make a coarse one, see `CoarseRings`: each time twice as many."""
_LEAST_COARSE = (3, 6)  # of what follows; of the coarsest, knowing less is no better than not to look
COARSE_LAGS: NDArray[np.int64] = np.array(
    [
        [
            max((known for known in LAGS if least <= known <= lag // blocks), default=0)
            for blocks, least in zip(COARSE, _LEAST_COARSE, strict=True)
        ]
        for lag in range(LAGS[-1] + 1)
    ]
)
"""``(LAGS[-1] + 1, len(COARSE))`` by lag: after how many coarse blocks a candidate is looked at as well; 0: too few
have come."""
COARSE_WEIGHTS: NDArray[np.float32] = np.minimum(COARSE_LAGS[list(LAGS)] / 24.0, 0.5).astype(np.float32)
"""``(len(LAGS), len(COARSE))`` of what is said coarse in the log odds, by lag: as much as of what is said finer where
twelve coarse blocks are known of what follows, and less where fewer are."""

FAR: tuple[int, ...] = (75, 105, 150, 210, 300)
"""Edges of the stretches of the farther past, blocks before each block: of these only the nearest moment is known."""
STRETCHES = len(FAR) - 1
FAR_NUMBERS = 2 * PIECES * STRETCHES
CONTEXT = FAR_NUMBERS + VIEWS + 1
"""Numbers that a look has beside its maps: those of the farther past, of units, and how much of the past is known."""
