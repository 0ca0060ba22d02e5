"""The events of all streams, numbered and kept for some time. Watchers read them at their own pace and delay no one."""

from __future__ import annotations

import asyncio
import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from time import monotonic

from kineseg_core.events import KIND_NAMES, Event

from kineseg_service.streams.packed_entries import Entry, PackedEntries

# What an entry takes besides the event.
_ENTRY_BYTES = 128
_TOGETHER = 64
"""Entries that are packed together, once twice as many have come."""


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
        self._packed: list[PackedEntries] = []
        self._latest: list[Entry] = []  # what follows these
        self._begin = 0
        self._end = 0
        self._bytes = 0
        self._waiting: list[asyncio.Event] = []
        self._closed = False

    @property
    def begin(self) -> int:
        """Position of the oldest event that is kept."""
        return self._begin

    @property
    def end(self) -> int:
        """Position that the next event will have."""
        return self._end

    @property
    def closed(self) -> bool:
        """Nothing more will be logged."""
        return self._closed

    def publish(self, session_id: str, event: Event) -> None:
        """Logs an event."""
        data = self._encode(event)
        self._latest.append((session_id, event.stream_id, KIND_NAMES[type(event.detail)], data, monotonic()))
        self._end += 1
        self._bytes += _size_of(self._latest[-1])
        if len(self._latest) == 2 * _TOGETHER:
            self._pack()
        self.trim()
        self._wake()

    def read(self, position: int) -> tuple[int, list[Entry]]:
        """Events from a position on, not all at once; and the position of the first of them, which may be later."""
        self.trim()
        first = min(max(position, self.begin), self.end)
        begins = self._end - len(self._latest)
        if first >= begins:
            return first, self._latest[first - begins :]
        some = self._packed[bisect_right(self._packed, first, key=lambda each: each.begin) - 1]
        return first, some.unpacked()[first - some.begin :]

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
        self._trim_before(monotonic() - self._keep_s)
        while self._bytes > self._most_bytes and self._begin < self._end:
            for _ in range(self._give_up()):
                self._on_trim()

    def _trim_before(self, oldest: float) -> None:
        """Gives up what was logged before then."""
        while self._packed:
            some = self._packed[0]
            self._begin = max(self._begin, some.begin + bisect_left(some.logged, oldest))
            if self._begin < some.end:
                return
            self._give_up()
        while self._latest and self._latest[0][-1] < oldest:
            self._give_up()

    def _give_up(self) -> int:
        """Gives up the oldest entry, with those that are packed with it; how many."""
        if self._packed:
            some = self._packed.pop(0)
            gone, size = some.end - self._begin, some.size
        else:
            gone, size = 1, _size_of(self._latest.pop(0))
        self._begin += gone
        self._bytes -= size
        return gone

    def _pack(self) -> None:
        entries = self._latest[:_TOGETHER]
        some = PackedEntries.of(entries, self._end - len(self._latest))
        del self._latest[:_TOGETHER]
        self._packed.append(some)
        self._bytes += some.size - sum(map(_size_of, entries))

    def _wake(self) -> None:
        for waiting in self._waiting:
            waiting.set()
        self._waiting.clear()


def _size_of(entry: Entry) -> int:
    return len(entry[3]) + _ENTRY_BYTES
