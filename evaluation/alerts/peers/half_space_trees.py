"""Half-space trees (S. C. Tan, K. M. Ting and T. F. Liu, IJCAI 2011), River's, with its own settings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.anomaly import HalfSpaceTrees
from river.preprocessing import MinMaxScaler

from evaluation.alerts.peers.components import Components
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.watch import Alarm

Array = NDArray[np.float64]

SEED = 0
COMPONENTS = 6


class Trees:
    """Scores of the trees, on components brought to 0 .. 1 by what was seen so far, as River's documentation has it."""

    def __init__(self, stream: AlertStream) -> None:
        self.alarms: list[Alarm] = []
        self._components = Components(stream, COMPONENTS)
        self._model: Any = MinMaxScaler() | HalfSpaceTrees(seed=SEED)

    def update(self, values: Array, times: Array) -> Array:
        """See `Detector`."""
        rows = self._components.update(values)
        scores = np.empty(len(rows))
        for at, row in enumerate(rows.tolist()):
            named = dict(enumerate(row))
            self._model.learn_one(named)
            scores[at] = self._model.score_one(named)
        return scores
