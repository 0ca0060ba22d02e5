"""What goes through many sessions at once and concerns no one else: next to all frames, and the ends of their chunks.

It is noted here in columns, a row a session, and costs no call. A session takes what has been noted of it once it wants
to know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.memory.sparse import sparse_zeros

I64 = NDArray[np.int64]

_MOST = 64
"""So many frames of a session are noted until it has to take them."""


class QuietRows:
    """The columns. To be used by one thread at a time.

    Args:
        rows: How many sessions there may be.

    Attributes:
        quiet: ``(rows,)`` whether a frame may be noted from which nothing follows by the table; as the session of each
            says.
    """

    def __init__(self, rows: int) -> None:
        self.quiet: NDArray[np.bool_] = np.zeros(rows, np.bool_)
        self._moments: I64 = sparse_zeros((rows, _MOST, 2), np.int64)
        self._count: I64 = np.zeros(rows, np.int64)
        self._acked: I64 = np.zeros(rows, np.int64)

    def note(self, rows: I64, moments: I64) -> list[int]:
        """Takes the next frame of some sessions that are quiet.

        Args:
            rows: ``(n,)`` each once.
            moments: ``(n, 2)`` where each begins: frame and nanoseconds, see `ModelFrames`.

        Returns:
            The places among them of those sessions that are to take now what has been noted.
        """
        count = self._count[rows]
        self._moments[rows, count] = moments
        count += 1
        self._count[rows] = count
        full: list[int] = np.flatnonzero(count == _MOST).tolist()
        return full

    def acknowledge(self, rows: I64, frames: Sequence[int]) -> None:
        """All of a chunk has gone through some sessions; `frames`: the index after the last one of each."""
        self._acked[rows] = frames


class QuietRow:
    """What is noted of one session; it begins anew.

    Args:
        rows: Where.
        row: Which is its own.
    """

    def __init__(self, rows: QuietRows, row: int) -> None:
        self._rows, self._row = rows, row
        rows._count[row] = rows._acked[row] = 0
        self.says(quiet=False)

    def says(self, *, quiet: bool) -> None:
        """Whether its next frames may be noted here."""
        self._rows.quiet[self._row] = quiet

    @property
    def acked(self) -> int:
        """The index after the last frame of the newest chunk that has been noted; 0 before the first."""
        return int(self._rows._acked[self._row])

    def take(self) -> tuple[list[int], list[int]]:
        """What has been noted since it was taken last: at which frame, and when in nanoseconds, each frame begins."""
        count = self._rows._count[self._row]
        if not count:
            return [], []
        self._rows._count[self._row] = 0
        frames, times_ns = self._rows._moments[self._row, :count].T.tolist()
        return frames, times_ns
