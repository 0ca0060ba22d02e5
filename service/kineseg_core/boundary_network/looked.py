"""Looks at candidates of many streams, as the boundary network takes them: an array an input, a row a look."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.decider import MOST_LAGS
from kineseg_core.boundary_network.layout import COARSE, COMPARED, CONTEXT, PIECES, VIEWS
from kineseg_core.boundary_network.piece_sums import PieceSums, room_for_sums

Array = NDArray[Any]

ROWS = 32
"""Of one run of the network, at most."""
MOST_LOOKS = (1 + len(COARSE)) * MOST_LAGS
"""After a block, the coarse ones included."""
NONE, SAID = -1, -2
"""In place of a look, see `Looked.coarse_of`."""


class Looked(NamedTuple):
    """Room for looks, and for the blocks that they are of.

    Attributes:
        maps, context, lag, discrepancies: Inputs of the network, see `Look`; of the lag its place in `LAGS`.
        units, known: Of each look, see `Look`; first piece, and pieces known.
        of: ``(B, 4)`` row of the table's step, blocks so far, first look, end of looks.
        lag_of: ``(N,)`` place of the look's lag among those of its stream.
        coarse_of: ``(N, len(COARSE))`` the looks at the same candidate that are coarse; `NONE`: there is none; `SAID`:
            it has been looked at before.
        coarse_log_odds: ``(N, len(COARSE))`` what is said of these, and what was.
        sums: Room for what a look is made of.
    """

    maps: Array
    context: Array
    lag: Array
    discrepancies: Array
    units: Array
    known: Array
    of: Array
    lag_of: Array
    coarse_of: Array
    coarse_log_odds: Array
    sums: PieceSums


def room_for(blocks: int) -> Looked:
    """Room for so many blocks, each looked at after every lag, and up to a whole number of runs of the network."""
    looks = -(-blocks * MOST_LOOKS // ROWS) * ROWS
    return Looked(
        maps=np.zeros((looks, 2 * VIEWS + 1, PIECES, PIECES), np.float32),
        context=np.zeros((looks, CONTEXT), np.float32),
        lag=np.zeros(looks, np.int64),
        discrepancies=np.zeros((looks, COMPARED), np.float32),
        units=np.zeros((looks, VIEWS), np.float32),
        known=np.zeros((looks, 2), np.int64),
        of=np.zeros((blocks, 4), np.int64),
        lag_of=np.zeros(looks, np.int64),
        coarse_of=np.full((looks, len(COARSE)), NONE, np.int64),
        coarse_log_odds=np.zeros((looks, len(COARSE)), np.float32),
        sums=room_for_sums(),
    )
