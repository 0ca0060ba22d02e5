"""Frames from which nothing follows, of many sessions at once: next to all are, and none of them costs a call.

They are noted here in columns, a row a session. A session takes what has been noted of it before it does anything else.
"""

from __future__ import annotations

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


class QuietRow:
    """What is noted of one session; it begins anew.

    Args:
        rows: Where.
        row: Which is its own.
    """

    def __init__(self, rows: QuietRows, row: int) -> None:
        self._rows, self._row = rows, row
        rows._count[row] = 0
        self.says(quiet=False)

    def says(self, *, quiet: bool) -> None:
        """Whether its next frames may be noted here."""
        self._rows.quiet[self._row] = quiet

    def take(self) -> list[tuple[int, int]]:
        """What has been noted since it was taken last: where each frame begins."""
        count = self._rows._count[self._row]
        if not count:
            return []
        noted = [(frame, ns) for frame, ns in self._rows._moments[self._row, :count].tolist()]
        self._rows._count[self._row] = 0
        return noted
