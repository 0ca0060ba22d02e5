"""The boundary network: how likely a segment begins at each of many candidates, of many streams at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.block_ring import Look
from kineseg_core.boundary_network.file import NetworkFile
from kineseg_core.boundary_network.layout import COMPARED, LAGS, PIECES, STRETCHES, VIEWS, pieces_known
from kineseg_core.boundary_network.looked import ROWS, Looked
from kineseg_core.inference.providers import open_cpu

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

_LAG_ROW = {lag: row for row, lag in enumerate(LAGS)}


class BoundaryNetwork:
    """A boundary network that is ready to run. To be used by one thread at a time.

    Args:
        file: The network.
    """

    def __init__(self, file: NetworkFile) -> None:
        self._session = open_cpu(file.graph, threads=1)
        self._patches = np.zeros((ROWS, 2 * VIEWS, PIECES, PIECES), np.float32)
        self._units = np.zeros((ROWS, VIEWS), np.float32)
        self._known = np.zeros((ROWS, 2), np.int64)
        self._lag = np.zeros(ROWS, np.int64)
        self._discrepancies = np.zeros((ROWS, COMPARED), np.float32)
        self._far = np.zeros((ROWS, 2, PIECES, STRETCHES), np.float32)

    def __call__(self, looks: Sequence[Look]) -> F32:
        """``(N,)`` how likely a segment begins at each candidate, 0 to 1; a row does not depend on the others."""
        logits = np.empty(len(looks), np.float32)
        for first in range(0, len(looks), ROWS):
            some = looks[first : first + ROWS]
            for row, look in enumerate(some):
                self._patches[row] = look.patches
                self._units[row] = look.units
                self._known[row] = look.first_piece, pieces_known(look.lag)
                self._lag[row] = _LAG_ROW[look.lag]
                self._discrepancies[row] = look.discrepancies
                self._far[row] = look.far
            rows = self._run(self._patches, self._units, self._known, self._lag, self._discrepancies, self._far)
            logits[first : first + len(some)] = rows[: len(some)]
        return _probabilities(logits)

    def of_table(self, looked: Looked, looks: int) -> F32:
        """``(looks,)`` the same of the first rows of a table's looks; there is room up to a multiple of `ROWS`."""
        logits = np.empty(-(-looks // ROWS) * ROWS, np.float32)
        for first in range(0, looks, ROWS):
            rows = slice(first, first + ROWS)
            logits[rows] = self._run(
                looked.patches[rows], looked.units[rows], looked.known[rows], looked.lag[rows],
                looked.discrepancies[rows], looked.far[rows],
            )  # fmt: skip
        return _probabilities(logits[:looks])

    def _run(self, patches: F32, units: F32, known: I64, lag: I64, discrepancies: F32, far: F32) -> F32:
        given = {
            "patches": patches,
            "units": units,
            "known": known,
            "lag": lag,
            "discrepancies": discrepancies,
            "far": far,
        }
        logits: F32 = self._session.run(["logit"], given)[0]
        return logits


def _probabilities(logits: F32) -> F32:
    return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
