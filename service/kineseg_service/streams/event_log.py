"""The events of all streams, numbered and kept for some time. Watchers read them at their own pace and delay no one."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from time import monotonic

from kineseg_core.events import KIND_NAMES, Event

Entry = tuple[str, str, str, bytes, float]
"""Name of the session, id of the stream, kind, the event itself as `encode` gave it, and when it was logged.

A plain tuple of plain values, so that the garbage collector need not look at a log of hundreds of thousands.
"""
# What an entry takes besides the event.
_ENTRY_BYTES = 128
# So many entries are read at a time.
_AT_ONCE = 256


class EventLog:
    """A log in memory: each event has a position, which rises by one. To be used in one event loop.

    Args:
        encode: Makes an event what is kept of it.
        keep_s: For so long an event is kept.
        most_bytes: So much is kept at most; beyond it the oldest events are given up before their time.
        on_trim: Is called for each event that is given up before its time.

    Attributes:
        name: No other log has it, so that positions of another one are not taken for this one's.
    """

    def __init__(
        self,
        encode: Callable[[Event], bytes],
        keep_s: float = 3600.0,
        most_bytes: int = 256 << 20,
        on_trim: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = secrets.token_hex(8)
        self._encode = encode
        self._keep_s = keep_s
        self._most_bytes = most_bytes
        self._on_trim = on_trim
        self._entries: list[Entry | None] = []
        self._first = 0  # position of the first in the list
        self._dead = 0  # so many at the front of the list have been given up
        self._bytes = 0
        self._waiting: list[asyncio.Event] = []
        self._closed = False

    @property
    def begin(self) -> int:
        """Position of the oldest event that is kept."""
        return self._first + self._dead

    @property
    def end(self) -> int:
        """Position that the next event will have."""
        return self._first + len(self._entries)

    @property
    def closed(self) -> bool:
        """Nothing more will be logged."""
        return self._closed

    def publish(self, session_id: str, event: Event) -> None:
        """Logs an event."""
        data = self._encode(event)
        self._entries.append((session_id, event.stream_id, KIND_NAMES[type(event.detail)], data, monotonic()))
        self._bytes += len(data) + _ENTRY_BYTES
        self.trim()
        self._wake()

    def read(self, position: int) -> tuple[int, list[Entry]]:
        """Events from a position on, not all at once; and the position of the first of them, which may be later."""
        self.trim()
        first = min(max(position, self.begin), self.end)
        at = first - self._first
        return first, [entry for entry in self._entries[at : at + _AT_ONCE] if entry is not None]

    async def changed(self) -> None:
        """Returns when there is more to read, or never will be."""
        event = asyncio.Event()
        self._waiting.append(event)
        if not self._closed:
            await event.wait()

    def close(self) -> None:
        """Nothing more will be logged: whoever has read it all is through."""
        self._closed = True
        self._wake()

    def trim(self) -> None:
        """Gives up what has been kept for long enough, and what there is no room for."""
        entries = self._entries
        oldest = monotonic() - self._keep_s
        while self._dead < len(entries):
            entry = entries[self._dead]
            assert entry is not None
            is_due = entry[-1] < oldest
            if not is_due and self._bytes <= self._most_bytes:
                break
            if not is_due:
                self._on_trim()
            entries[self._dead] = None
            self._dead += 1
            self._bytes -= len(entry[3]) + _ENTRY_BYTES
        if self._dead > len(entries) // 2:
            del entries[: self._dead]
            self._first += self._dead
            self._dead = 0

    def _wake(self) -> None:
        for waiting in self._waiting:
            waiting.set()
        self._waiting.clear()
