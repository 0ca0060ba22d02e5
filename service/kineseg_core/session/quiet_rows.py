"""What goes through many sessions at once and concerns no one else: next to all frames, and the ends of their chunks.

It is noted here in columns, a row a session, and costs no call. A session takes what has been noted of it once it wants
to know.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from kineseg_core.kernels import kernel
from kineseg_core.memory.sparse import sparse_zeros

I64 = NDArray[np.int64]

_MOST = 64
"""So many frames of a session are noted until it has to take them."""


class QuietRows:
    """The columns. To be used by one thread at a time.

    Args:
        rows: How many sessions there may be.
    """

    def __init__(self, rows: int) -> None:
        self._quiet: NDArray[np.bool_] = np.zeros(rows, np.bool_)  # as the session of each says
        self._moments: I64 = sparse_zeros((rows, _MOST, 2), np.int64)
        self._count: I64 = np.zeros(rows, np.int64)
        self._acked: I64 = np.zeros(rows, np.int64)
        self._follows: NDArray[np.bool_] = np.zeros(rows, np.bool_)  # of each place of a step
        self._found: I64 = np.zeros((2, rows), np.int64)

    def note(self, rows: I64, moments: I64, follows: Collection[int]) -> tuple[list[int], list[int]]:
        """Takes the next frame of those sessions that are quiet.

        Args:
            rows: ``(n,)`` of sessions, each once.
            moments: ``(n, 2)`` where the frame of each begins: frame and nanoseconds, see `ModelFrames`.
            follows: Places among them from which something follows by the table.

        Returns:
            The places of those whose frame has not been taken, as something may follow from it; and of those that are
            to take now what has been noted.
        """
        if follows:
            self._follows[list(follows)] = True
        loud, full = _note(self._quiet, self._moments, self._count, rows, moments, self._follows, self._found)
        return self._found[0, :loud].tolist(), self._found[1, :full].tolist()

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
        self._rows._quiet[self._row] = quiet

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


@kernel()
def _note(quiet, kept, count, rows, moments, follows, found):  # type: ignore[no-untyped-def]
    """See `QuietRows.note`; the places are written to ``found (2, n)``, and `follows` is false again afterwards.

    Returns how many there are of both.
    """
    loud, full = 0, 0
    for place in range(len(rows)):
        row = rows[place]
        if follows[place] or not quiet[row]:
            follows[place] = False
            found[0, loud] = place
            loud += 1
            continue
        at = count[row]
        kept[row, at, 0], kept[row, at, 1] = moments[place, 0], moments[place, 1]
        count[row] = at + 1
        if at + 1 == _MOST:
            found[1, full] = place
            full += 1
    return loud, full
