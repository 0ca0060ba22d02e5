"""The blocks of one row of a table, and the open segment among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_core.generic.pattern_settings import PatternSettings, ties
from kineseg_core.generic.table.blocks import accept
from kineseg_core.generic.table.columns import PatternColumns


class RowBlocks:
    """As `PatternBoundaries` has them.

    Args:
        columns: Of the table.
        row: Of the stream.
        settings: Numbers of the method.

    Attributes:
        scores: ``(W,)`` room for those that may still belong to a boundary.
    """

    def __init__(self, columns: PatternColumns, row: int, settings: PatternSettings) -> None:
        self._columns, self._row, self._settings = columns, row, settings
        self._counters = columns.counters[row]
        self.scores = columns.scores[row]

    @property
    def count(self) -> int:
        """How many have come since the last interruption."""
        return int(self._counters["count"])

    @property
    def start(self) -> int:
        """The first of the open segment."""
        return int(self._counters["start"])

    def recent(self, start: int, end: int) -> NDArray[np.float32]:
        """Blocks [start, end), shape (n, dim), as far as they are remembered."""
        start = max(start, self.count - self._settings.horizon, 0)
        places = np.arange(start, max(start, end)) % self._settings.horizon
        return np.asarray(self._columns.past[self._row].T[places])

    def accept(self, boundary: int) -> None:
        """The open segment ends before `boundary`, and another begins there."""
        accept(self._columns, self._settings, ties(self._settings.horizon), self._row, boundary)
