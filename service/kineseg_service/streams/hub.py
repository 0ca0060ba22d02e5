"""Where watchers get the events of all streams. A slow watcher loses events, which are counted, and delays no one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from typing import NamedTuple

from kineseg_core.events import Detail, Event


class Watched(NamedTuple):
    """An event of a session, and how many its watcher lost before it."""

    session_id: str
    event: Event
    dropped: int


class Watcher:
    """One watcher's bounded queue. To be used in one event loop.

    Args:
        session_id: Only events of this session, by its name or its stream's id; empty: of all.
        kinds: Only events with these details; empty: all.
        most: How many events may wait.
        on_drop: Is called for each event lost.
    """

    def __init__(
        self, session_id: str, kinds: Collection[type[Detail]], most: int, on_drop: Callable[[], None]
    ) -> None:
        self._session_id = session_id
        self._kinds = frozenset(kinds)
        self._most = most
        self._on_drop = on_drop
        self._waiting: deque[Watched] = deque()
        self._dropped = 0
        self._changed = asyncio.Event()
        self._closed = False

    def offer(self, session_id: str, event: Event) -> None:
        """Queues an event if it is asked for; never blocks."""
        if (self._session_id and self._session_id not in (session_id, event.stream_id)) or (
            self._kinds and type(event.detail) not in self._kinds
        ):
            return
        if len(self._waiting) >= self._most:
            self._dropped += 1
            self._on_drop()
            return
        self._waiting.append(Watched(session_id, event, self._dropped))
        self._dropped = 0
        self._changed.set()

    def close(self) -> None:
        """Ends the iteration after what is waiting."""
        self._closed = True
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[Watched]:
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()


class Hub:
    """All watchers."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._watchers)

    def add(self, watcher: Watcher) -> None:
        """From now on the watcher is offered every event."""
        self._watchers.add(watcher)
        if self._closed:
            watcher.close()

    def remove(self, watcher: Watcher) -> None:
        """The watcher is offered nothing more."""
        self._watchers.discard(watcher)

    def publish(self, session_id: str, event: Event) -> None:
        """Offers an event to all watchers."""
        for watcher in self._watchers:
            watcher.offer(session_id, event)

    def close(self) -> None:
        """Ends all watchers, and those still to come."""
        self._closed = True
        for watcher in self._watchers:
            watcher.close()
