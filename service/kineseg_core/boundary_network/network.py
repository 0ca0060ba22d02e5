"""The boundary network: how likely a segment begins at each of many candidates, of many streams at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.block_ring import Look
from kineseg_core.boundary_network.file import NetworkFile
from kineseg_core.boundary_network.layout import COMPARED, LAGS, PIECES, STRETCHES, VIEWS, pieces_known
from kineseg_core.inference.providers import open_cpu

F32 = NDArray[np.float32]

_ROWS = 8  # of one run: always as many, so that a row has the same bits whatever it is run with
_LAG_ROW = {lag: row for row, lag in enumerate(LAGS)}


class BoundaryNetwork:
    """A boundary network that is ready to run. To be used by one thread at a time.

    Args:
        file: The network.
    """

    def __init__(self, file: NetworkFile) -> None:
        self._session = open_cpu(file.graph, threads=1)
        self._patches = np.zeros((_ROWS, 2 * VIEWS, PIECES, PIECES), np.float32)
        self._units = np.zeros((_ROWS, VIEWS), np.float32)
        self._known = np.zeros((_ROWS, 2), np.int64)
        self._lag = np.zeros(_ROWS, np.int64)
        self._discrepancies = np.zeros((_ROWS, COMPARED), np.float32)
        self._far = np.zeros((_ROWS, 2, PIECES, STRETCHES), np.float32)

    def __call__(self, looks: Sequence[Look]) -> F32:
        """``(N,)`` how likely a segment begins at each candidate, 0 to 1; a row does not depend on the others."""
        logits = np.empty(len(looks), np.float32)
        for first in range(0, len(looks), _ROWS):
            some = looks[first : first + _ROWS]
            for row, look in enumerate(some):
                self._patches[row] = look.patches
                self._units[row] = look.units
                self._known[row] = look.first_piece, pieces_known(look.lag)
                self._lag[row] = _LAG_ROW[look.lag]
                self._discrepancies[row] = look.discrepancies
                self._far[row] = look.far
            (rows,) = self._session.run(
                ["logit"],
                {
                    "patches": self._patches,
                    "units": self._units,
                    "known": self._known,
                    "lag": self._lag,
                    "discrepancies": self._discrepancies,
                    "far": self._far,
                },
            )
            logits[first : first + len(some)] = rows[: len(some)]
        return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
