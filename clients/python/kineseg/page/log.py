"""The latest of what a stream has given, numbered, so that many can read on from where they are."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Read(NamedTuple, Generic[T]):
    """What was read: the entries, where to read on, and how many were gone before they could be read."""

    entries: list[T]
    next: int
    lost: int


class Log(Generic[T]):
    """Keeps the latest `most` entries."""

    def __init__(self, most: int) -> None:
        self._entries: deque[T] = deque(maxlen=most)
        self.end = 0

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: T) -> None:
        """Adds one; the oldest may go."""
        self._entries.append(entry)
        self.end += 1

    def since(self, place: int) -> Read[T]:
        """All from `place` on that are still there."""
        first = self.end - len(self._entries)
        return Read(list(islice(self._entries, max(0, place - first), None)), self.end, max(0, first - place))
