"""Which streams step now: those whose next frame has waited longest, each once."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


class Batcher(Generic[T]):
    """A queue of streams, ordered by when the next frame of each arrived. A stream may be in it once."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, T]] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, arrival: int, stream: T) -> None:
        """Queues a stream whose next frame arrived as number `arrival`."""
        self._added += 1
        heapq.heappush(self._heap, (arrival, self._added, stream))

    def take(self, most: int) -> list[T]:
        """Takes out the streams of the next batch, oldest first."""
        heap = self._heap
        if len(heap) <= most:
            # The whole queue: sorting a list is cheaper than popping a heap.
            heap.sort()
            streams = [entry[2] for entry in heap]
            heap.clear()
            return streams
        return [heapq.heappop(heap)[2] for _ in range(most)]
