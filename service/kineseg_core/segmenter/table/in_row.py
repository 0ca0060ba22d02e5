"""What stands in a row of a table, whichever table it is."""

from __future__ import annotations

from typing import Any, ClassVar

from numpy.typing import NDArray

from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps


@within("0 <= _counters.surprise_count", "0 <= _counters.baseline_seen")
@keeps("_of_row", passing="_columns _row _counters")
class InRow:
    """Numbers of one stream in a row of columns, beside segments that say whether one is open."""

    FOLLOWS: ClassVar[frozenset[str]] = frozenset()
    """Columns that follow from the others, and are not kept."""

    _has_open_segment: bool

    def _stand_in(self, columns: Any, row: int) -> None:
        """From now on, in this row."""
        self._columns, self._row = columns, row
        self._counters = columns.counters[row]

    @property
    def _of_row(self) -> tuple[NDArray[Any], ...]:
        """Those that are kept, as views; seldom asked for, and the views of all streams take more room than some
        columns."""
        own = slice(self._row, self._row + 1)
        return tuple(
            column[own]
            for name, column in zip(self._columns._fields, self._columns, strict=True)
            if name not in self.FOLLOWS
        )

    @property
    def begins(self) -> bool:
        """The frame that has come begins a segment: it is the first of the stream, or after an interruption."""
        return not self._has_open_segment

    @property
    def anomaly_score(self) -> float:
        """Robust standard deviations of the last frame's log surprise above its median."""
        return float(self._counters["surprise"])

    @property
    def _n_frames(self) -> int:
        return int(self._counters["frames"])
