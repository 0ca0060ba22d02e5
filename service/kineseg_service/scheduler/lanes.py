"""The models that streams go through: those of the server, and those made for streams while there are such streams."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Generic, TypeVar

import numpy as np
from kineseg_core.errors import Full
from kineseg_core.inference.decoder import Decoder
from kineseg_core.intake.resampling import F32
from kineseg_core.segmenting import AnyTable, AnyTablePlan, new_table
from kineseg_core.session.quiet_rows import QuietRows
from numpy.typing import NDArray

from kineseg_service.scheduler.batcher import Batcher
from kineseg_service.scheduler.chunk_queue import ChunkQueue
from kineseg_service.scheduler.turns import Turns

T = TypeVar("T")
# So many models that are made for streams are run at once, so that no client fills the memory with them.
_MOST_MADE = 32


class Lane(Generic[T]):
    """A model: its decoder, the streams that wait for it, and room for a batch.

    Attributes:
        batcher: Streams whose next frame waits.
        chunks: What waits in columns of others, none of which are ahead of their own time.
        chunks_first: They have stepped first the last time.
        quiet: Frames from which nothing has followed, in rows that are the streams' slots.
        frames_waiting: So many frames of the model wait for a step.
    """

    def __init__(self, decoder: Decoder, turns: Turns) -> None:
        self.decoder = decoder
        self.batcher: Batcher[T] = Batcher(turns)
        self.chunks: ChunkQueue[T] = ChunkQueue(decoder.slots)
        self.chunks_first = False
        self.quiet = QuietRows(decoder.slots)
        self.streams = 0  # open ones
        self.last_behind = 0  # its number among the turns that lanes had which went behind others
        self.frames_waiting = 0
        self.frames: F32 = np.zeros((decoder.max_batch, len(decoder.bundle.channels)), np.float32)
        self.slots: NDArray[np.int64] = np.zeros(decoder.max_batch, np.int64)
        self._table: AnyTable | None = None

    def table(self, plan: AnyTablePlan) -> AnyTable:
        """The numbers of its streams' segmenters, in the rows that are their slots."""
        if self._table is None:
            self._table = new_table(plan, self.decoder.slots, self.decoder.max_batch)
        assert self._table.plan == plan  # streams of a model have all in common
        return self._table

    @property
    def busy(self) -> bool:
        """Streams wait for a step."""
        return bool(self.batcher) or bool(self.chunks)

    @property
    def hurries(self) -> bool:
        """Streams wait that are not ahead of their own time."""
        return self.batcher.hurries or bool(self.chunks)

    @property
    def rows(self) -> AnyTable:
        """That table; there is one once a stream has been opened."""
        assert self._table is not None
        return self._table


class Lanes(Generic[T]):
    """All of them.

    Args:
        decoders: The server's own, by name of the model.
        clock: What tells the time, in seconds.
    """

    def __init__(self, decoders: Mapping[str, Decoder], clock: Callable[[], float] = time.monotonic) -> None:
        self._turns = Turns(clock)
        self._own: dict[str, Lane[T]] = {name: Lane(decoder, self._turns) for name, decoder in decoders.items()}
        self._made: dict[Decoder, Lane[T]] = {}
        self._turns_behind = 0

    def own(self, model: str) -> Lane[T]:
        """The lane of a model of the server."""
        return self._own[model]

    def made(self, decoder: Decoder) -> Lane[T]:
        """The lane of a model that was made for a stream; raises `Full` when there are too many."""
        lane = self._made.get(decoder)
        if lane is None:
            if len(self._made) >= _MOST_MADE:
                raise Full(
                    f"open streams of model {decoder.bundle.name!r} have {_MOST_MADE} different numbers of channels or "
                    "rates, and no more are run at once; try again later"
                )
            lane = self._made[decoder] = Lane(decoder, self._turns)
        return lane

    def leave(self, lane: Lane[T]) -> None:
        """A stream has left it; what was made for streams goes with the last."""
        lane.streams -= 1
        if not lane.streams:
            self._made.pop(lane.decoder, None)

    def waiting(self) -> Sequence[Lane[T]]:
        """Those in which streams wait for a step and may have it.

        Where all that wait are ahead of their own time, that is one lane after the other: what others send meanwhile
        waits for one of them, and not for all.
        """
        lanes = [lane for lane in self._all() if lane.busy]
        hurrying = [lane for lane in lanes if lane.hurries]
        if len(hurrying) == len(lanes) or (hurrying and not self._turns.overdue):
            return hurrying
        behind = min((lane for lane in lanes if not lane.hurries), key=lambda lane: lane.last_behind)
        self._turns_behind += 1
        behind.last_behind = self._turns_behind
        return [*hurrying, behind]

    def busy(self) -> bool:
        """Whether streams wait in any."""
        return any(lane.busy for lane in self._all())

    def hurry(self) -> bool:
        """Whether streams wait that are not ahead of their own time."""
        return any(lane.hurries for lane in self._all())

    @property
    def frames_waiting(self) -> int:
        """So many frames wait for a step in all of them."""
        return sum(lane.frames_waiting for lane in self._all())

    def _all(self) -> Iterator[Lane[T]]:
        return chain(self._own.values(), self._made.values())
