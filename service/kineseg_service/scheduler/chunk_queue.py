"""Chunks of many streams that wait for their steps, in columns: nearly all chunks are nothing but frames of the model.

What is done to a chunk here costs next to nothing, as it is done to many at once. A stream of which something else
comes, or whose client takes nothing, is taken out, and goes on by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from kineseg_core.intake.plain import PlainChunks
from kineseg_core.intake.resampling import F32, I64, ModelFrames
from kineseg_core.intake.taken import ChunkEnd
from numpy.typing import NDArray

T = TypeVar("T")  # a stream


class SentChunks(NamedTuple, Generic[T]):
    """Chunks that have been taken together.

    Attributes:
        streams: Of each.
        came: When each came, by `time.monotonic`.
        chunks: What they are.
    """

    streams: Sequence[T]
    came: Sequence[float]
    chunks: PlainChunks


class WaitingChunks(Generic[T]):
    """Chunks of streams of a model, each stream once.

    Args:
        sent: Among which they are.
        which: Of them.
        slots: Of the streams of these.

    Attributes:
        streams, came, chunks: See `SentChunks`.
        sizes: N, how many frames of the model each has.
        slots: ``(N,)`` of the streams.
        at: ``(N,)`` the row that is stepped next of each.
        waits: ``(N,)`` whether each waits here and is not through.
    """

    __slots__ = ("at", "came", "chunks", "sizes", "slots", "streams", "waits")

    def __init__(self, sent: SentChunks[T], which: Sequence[int], slots: Sequence[int]) -> None:
        self.streams, self.came, self.chunks = sent
        self.waits: NDArray[np.bool_] = np.zeros(len(self.streams), np.bool_)
        chunks = np.array(which)
        self.waits[chunks] = True
        self.slots: I64 = np.zeros(len(self.streams), np.int64)
        self.slots[chunks] = slots
        self.at: I64 = self.chunks.begins.copy()
        self.sizes = self.chunks.sizes


class TakenBack(NamedTuple):
    """A chunk that waits in columns no longer.

    Attributes:
        items: What is left of what its `Intake.take` would have given.
        came: When it came, by `time.monotonic`.
        stepped: How many frames of the model have gone through.
    """

    items: list[ModelFrames | ChunkEnd]
    came: float
    stepped: int


class ChunkRows(Generic[T]):
    """The next rows of some chunks, which are stepped together.

    Args:
        waiting: Among which they are.
        turn: Whose turn it is; those of which no frame is left have no row, and are through with the others.

    Attributes:
        waiting: As given.
        which: ``(n,)`` of them.
        rows: ``(n,)`` of the frames of the model.
    """

    __slots__ = ("_turn", "rows", "waiting", "which")

    def __init__(self, waiting: WaitingChunks[T], turn: I64) -> None:
        self.waiting, self._turn = waiting, turn
        self.which, self.rows = turn, waiting.at[turn]
        goes_on = self.rows < waiting.chunks.ends[turn]
        if not goes_on.all():
            self.which, self.rows = self.which[goes_on], self.rows[goes_on]

    def __len__(self) -> int:
        return len(self.which)

    @property
    def came(self) -> float:
        """When the first of those came that have been taken with them."""
        return self.waiting.came[0]

    @property
    def streams(self) -> list[T]:
        """Of each row."""
        streams = self.waiting.streams
        return [streams[chunk] for chunk in self.which.tolist()]

    @property
    def begin(self) -> I64:
        """``(n, 2)`` where the frame of each row begins: the client's frame, and its time in nanoseconds."""
        return self.waiting.chunks.moments[self.rows, 2:]

    def put(self, frames: F32, slots: I64) -> None:
        """Fills ``frames (n, C)`` and ``slots (n,)`` for the model."""
        np.take(self.waiting.chunks.frames, self.rows, axis=0, out=frames, mode="clip")
        slots[:] = self.waiting.slots[self.which]

    def only(self, fits: NDArray[np.bool_]) -> None:
        """They are those for which ``fits (n,)`` says so."""
        self.which, self.rows = self.which[fits], self.rows[fits]

    def step(self) -> None:
        """They have been stepped."""
        self.waiting.at[self.which] += 1

    def through(self) -> list[int]:
        """Of the chunks those that wait no longer, as all of each has gone through."""
        waiting, turn = self.waiting, self._turn
        through = turn[waiting.waits[turn] & (waiting.at[turn] >= waiting.chunks.ends[turn])]
        waiting.waits[through] = False
        found: list[int] = through.tolist()
        return found


class ChunkQueue(Generic[T]):
    """All that wait for a step of one model, oldest first.

    Args:
        slots: How many streams there may be.
    """

    def __init__(self, slots: int) -> None:
        self._waiting: deque[WaitingChunks[T]] = deque()
        self._ahead = np.zeros(slots, np.bool_)  # of which streams chunks have been met that come first

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, waiting: WaitingChunks[T]) -> None:
        """More have come; of each of their streams nothing else waits that came before, but in this queue."""
        self._waiting.append(waiting)

    def take(self, most: int) -> list[ChunkRows[T]]:
        """The next rows of so many streams, those that have waited longest; each stream once."""
        taken: list[ChunkRows[T]] = []
        for waiting in self._waiting:
            left = np.flatnonzero(waiting.waits)
            if not len(left):
                continue
            which = left[~self._ahead[waiting.slots[left]]] if taken else left
            if most <= 0 or not len(which):
                break  # of what comes next, most waits for the same streams
            self._ahead[waiting.slots[left]] = True
            rows = ChunkRows(waiting, which[:most])
            taken.append(rows)
            most -= len(rows)
        self._ahead[:] = False
        return taken

    def settle(self) -> None:
        """Forgets what no longer waits; to be called when rows have been stepped."""
        while self._waiting and not self._waiting[0].waits.any():
            self._waiting.popleft()

    def take_back(self, stream: T) -> list[TakenBack]:
        """Takes out what is left of a stream's chunks, in order."""
        back = []
        for waiting in self._waiting:
            if stream in waiting.streams and waiting.waits[chunk := waiting.streams.index(stream)]:
                waiting.waits[chunk] = False
                at = int(waiting.at[chunk])
                stepped = at - int(waiting.chunks.begins[chunk])
                back.append(TakenBack(waiting.chunks.items(chunk, at), waiting.came[chunk], stepped))
        self.settle()
        return back
