"""Which streams step now: those whose next frame has waited longest, each once, and those that are ahead last."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

from kineseg_service.scheduler.turns import Turns

T = TypeVar("T")
Entry = tuple[int, int, T]


class Batcher(Generic[T]):
    """A queue of streams, ordered by when the next frame of each arrived. A stream may be in it once.

    Args:
        turns: When those may step that are ahead of their own time.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._others: list[Entry[T]] = []
        self._ahead: list[Entry[T]] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._others) + len(self._ahead)

    @property
    def hurrying(self) -> int:
        """How many streams wait that are not ahead of their own time."""
        return len(self._others)

    @property
    def hurries(self) -> bool:
        """Streams wait that are not ahead of their own time."""
        return bool(self._others)

    def add(self, arrival: int, stream: T, *, ahead: bool = False) -> None:
        """Queues a stream whose next frame arrived as number `arrival`; `ahead` of its own time."""
        self._added += 1
        heapq.heappush(self._ahead if ahead else self._others, (arrival, self._added, stream))

    def take(self, most: int, others: int = 0) -> list[T]:
        """Takes out the streams of the next batch of `most`, oldest first, which so many `others` are in already."""
        streams = _oldest(self._others, most - others)
        if self._ahead:
            streams += _oldest(self._ahead, self._turns.room(others + len(streams), most))
        return streams


def _oldest(heap: list[Entry[T]], most: int) -> list[T]:
    """Takes out so many."""
    if len(heap) <= most:
        # The whole queue: sorting a list is cheaper than popping a heap.
        heap.sort()
        streams = [entry[2] for entry in heap]
        heap.clear()
        return streams
    return [heapq.heappop(heap)[2] for _ in range(most)]
