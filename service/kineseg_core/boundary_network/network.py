"""The boundary network: how likely a segment begins at each of many candidates, of many streams at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.boundary_network.block_ring import Look
from kineseg_core.boundary_network.coarse import weigh_coarse
from kineseg_core.boundary_network.file import NetworkFile
from kineseg_core.boundary_network.layout import LAG_PLACE, LAGS
from kineseg_core.boundary_network.looked import MOST_LOOKS, NONE, ROWS, SAID, Looked, room_for
from kineseg_core.inference.providers import open_cpu

F32 = NDArray[np.float32]
Ask = Callable[[Sequence[Look]], F32]
"""How likely a segment begins at each of the candidates that are looked at, ``(N,)``."""

_INPUTS = ("maps", "context", "lag", "discrepancies")


class BoundaryNetwork:
    """A boundary network that is ready to run. To be used by one thread at a time.

    Args:
        file: The network.
    """

    def __init__(self, file: NetworkFile) -> None:
        self._session = open_cpu(file.graph, threads=1)
        self._room = room_for(1)
        self._multiple = self._find_multiple()

    def __call__(self, looks: Sequence[Look]) -> F32:
        """``(N,)`` how likely a segment begins at each candidate, 0 to 1; a look does not depend on the others.

        What is said of them coarse is written there.
        """
        coarse = [(row, i, one) for row, look in enumerate(looks) for i, one in enumerate(look.coarse)]
        asked = [(row, i, one, one.look) for row, i, one in coarse if one.look is not None]
        rows = [*looks, *(look for *_, look in asked)]
        if len(rows) > len(self._room.lag):
            self._room = room_for(-(-len(rows) // MOST_LOOKS))
        room = self._room
        room.coarse_of[: len(rows)] = NONE
        for row, i, one in coarse:
            room.coarse_of[row, i], room.coarse_log_odds[row, i] = SAID, one.log_odds
        for at, (row, i, *_) in enumerate(asked, start=len(looks)):
            room.coarse_of[row, i] = at
        for row, look in enumerate(rows):
            room.maps[row] = look.maps
            room.context[row] = look.context
            room.lag[row] = LAG_PLACE[look.lag]
            room.discrepancies[row] = look.discrepancies
        likely = self.of_table(room, len(rows))[: len(looks)]
        for row, i, one, _ in asked:
            one.look, one.log_odds = None, float(room.coarse_log_odds[row, i])
        return likely

    def of_table(self, looked: Looked, looks: int) -> F32:
        """``(looks,)`` the same of the first rows of a table's looks; there is room up to a multiple of `ROWS`.

        Of one that has coarse ones beside it the log odds are a mean of them all.
        """
        logits = np.empty(-(-looks // ROWS) * ROWS, np.float32)
        for first in range(0, looks, ROWS):
            end = first + min(-(-(looks - first) // self._multiple) * self._multiple, ROWS)
            logits[first:end] = self._run(looked, first, end)
        weigh_coarse(logits, looked.lag, looked.coarse_of, looked.coarse_log_odds, looks)
        return _probabilities(logits[:looks])

    def _run(self, looked: Looked, first: int, end: int) -> F32:
        logits: F32 = self._session.run(["logit"], {name: getattr(looked, name)[first:end] for name in _INPUTS})[0]
        return logits

    def _find_multiple(self) -> int:
        """To which multiple looks must be padded so that a row has the same bits whatever it is run with: 1 with the
        ONNX Runtime and the processors that were tried, others may run other kernels."""
        looked, random = room_for(ROWS), np.random.default_rng(0)
        for column in (looked.maps, looked.context, looked.discrepancies):
            column[:] = random.standard_normal(column.shape)
        looked.lag[:] = random.integers(0, len(LAGS), len(looked.lag))
        whole = self._run(looked, 0, ROWS)
        for multiple in (1, 2, 4, 8, 16):
            sizes = range(multiple, ROWS, multiple)
            if all((self._run(looked, ROWS - size, ROWS) == whole[ROWS - size :]).all() for size in sizes):
                return multiple
        return ROWS


def _probabilities(logits: F32) -> F32:
    return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
