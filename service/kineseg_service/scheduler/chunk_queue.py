"""Chunks of many streams that wait for their steps, in columns: nearly all chunks are nothing but frames of the model.

What is done to a chunk here costs next to nothing, as it is done to many at once. A stream of which something else
comes, or whose client takes nothing, is taken out, and goes on by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from kineseg_core.intake.intake import ChunkEnd
from kineseg_core.intake.plain import PlainChunks
from kineseg_core.intake.resampling import F32, I64, ModelFrames
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kineseg_service.scheduler.scheduled import ScheduledStream


class SentChunks(NamedTuple):
    """Chunks that have been taken together.

    Attributes:
        streams: Of each.
        came: When each came, by `time.monotonic`.
        chunks: What they are.
    """

    streams: Sequence[ScheduledStream]
    came: Sequence[float]
    chunks: PlainChunks


class WaitingChunks:
    """Chunks of streams of a model, each stream once.

    Attributes:
        streams, came, chunks: See `SentChunks`.
        sizes: N, how many frames of the model each has.
        slots: ``(N,)`` of the streams.
        at: ``(N,)`` the row that is stepped next of each.
        left: Which are not through.
    """

    __slots__ = ("at", "came", "chunks", "left", "sizes", "slots", "streams")

    def __init__(self, sent: SentChunks, left: Sequence[int]) -> None:
        self.streams, self.came, self.chunks = sent
        self.left: I64 = np.array(left, np.int64)
        self.slots: I64 = np.zeros(len(self.streams), np.int64)
        self.slots[self.left] = [self.streams[chunk].slot for chunk in left]
        self.at: I64 = self.chunks.begins.copy()
        self.sizes = self.chunks.sizes


class Withdrawn(NamedTuple):
    """A chunk that waits in columns no longer.

    Attributes:
        items: What is left of what its `Intake.take` would have given.
        came: When it came, by `time.monotonic`.
        stepped: How many frames of the model have gone through.
    """

    items: list[ModelFrames | ChunkEnd]
    came: float
    stepped: int


class ChunkRows:
    """The next rows of some chunks, which are stepped together.

    Attributes:
        waiting: Among which they are.
        which: ``(n,)`` of them.
        rows: ``(n,)`` of the frames of the model.
    """

    __slots__ = ("rows", "waiting", "which")

    def __init__(self, waiting: WaitingChunks, which: I64, rows: I64) -> None:
        self.waiting, self.which, self.rows = waiting, which, rows

    def __len__(self) -> int:
        return len(self.which)

    @property
    def came(self) -> float:
        """When the first of them came."""
        return self.waiting.came[int(self.which[0])]

    @property
    def streams(self) -> list[ScheduledStream]:
        """Of each row."""
        streams = self.waiting.streams
        return [streams[chunk] for chunk in self.which.tolist()]

    def put(self, frames: F32, slots: I64) -> None:
        """Fills ``frames (n, C)`` and ``slots (n,)`` for the model."""
        np.take(self.waiting.chunks.frames, self.rows, axis=0, out=frames, mode="clip")
        slots[:] = self.waiting.slots[self.which]

    def only(self, fits: NDArray[np.bool_]) -> ChunkRows:
        """Those for which ``fits (n,)`` says so."""
        return ChunkRows(self.waiting, self.which[fits], self.rows[fits])

    def step(self) -> None:
        """They have been stepped."""
        self.waiting.at[self.which] += 1


class ChunkQueue:
    """All that wait for a step of one model, oldest first.

    Args:
        slots: How many streams there may be.
    """

    def __init__(self, slots: int) -> None:
        self._waiting: deque[WaitingChunks] = deque()
        self._ahead = np.zeros(slots, np.bool_)  # of which streams chunks have been met that come first

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __len__(self) -> int:
        return sum(len(waiting.left) for waiting in self._waiting)

    def add(self, waiting: WaitingChunks) -> None:
        """More have come; of each of their streams nothing else waits that came before, but in this queue."""
        self._waiting.append(waiting)

    def take(self, most: int) -> list[ChunkRows]:
        """The next rows of so many streams, those that have waited longest; each stream once."""
        taken = []
        for waiting in self._waiting:
            which = waiting.left
            if waiting is not self._waiting[0]:
                which = which[~self._ahead[waiting.slots[which]]]
            self._ahead[waiting.slots[waiting.left]] = True
            which = which[:most]
            taken.append(ChunkRows(waiting, which, waiting.at[which]))
            most -= len(which)
            if most <= 0:
                break
        self._ahead[:] = False
        return [rows for rows in taken if len(rows)]

    def settle(self) -> list[tuple[WaitingChunks, list[int]]]:
        """Lets go of the chunks that are through, and says which; to be called whenever there may be any."""
        through = []
        for waiting in self._waiting:
            left = waiting.left
            is_through = waiting.at[left] >= waiting.chunks.ends[left]
            if waiting is not self._waiting[0]:  # one of which no frame has come may still have to wait for others
                is_through &= ~self._ahead[waiting.slots[left]]
            if is_through.any():
                through.append((waiting, left[is_through].tolist()))
                waiting.left = left = left[~is_through]
            self._ahead[waiting.slots[left]] = True
        self._ahead[:] = False
        if through:
            self._forget_empty()
        return through

    def withdraw(self, stream: ScheduledStream) -> list[Withdrawn]:
        """Takes out what is left of a stream's chunks, in order."""
        withdrawn = []
        for waiting in self._waiting:
            for chunk in waiting.left.tolist():
                if waiting.streams[chunk] is stream:
                    waiting.left = waiting.left[waiting.left != chunk]
                    at = int(waiting.at[chunk])
                    stepped = at - int(waiting.chunks.begins[chunk])
                    withdrawn.append(Withdrawn(waiting.chunks.items(chunk, at), waiting.came[chunk], stepped))
        self._forget_empty()
        return withdrawn

    def _forget_empty(self) -> None:
        self._waiting = deque(waiting for waiting in self._waiting if len(waiting.left))
