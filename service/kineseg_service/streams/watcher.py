"""One who watches the event log, from where it once stopped or from now on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from typing import NamedTuple

from kineseg_service.streams.event_log import EventLog


class Watched(NamedTuple):
    """An event of a session, where the log goes on behind it, and how many its watcher lost before it.

    `log_changed`: the watcher came from another log.
    """

    session_id: str
    event: bytes
    position: int
    dropped: int
    log_changed: bool


class Watcher:
    """Reads the log. To be used in one event loop.

    Args:
        log: What is read.
        session_id: Only events of this session, by its name or its stream's id; empty: of all.
        kinds: Only events of these kinds; empty: all.
        position: From where; none: from now on.
        log_changed: What was read before was another log.
        on_drop: Is given how many events have been lost.
    """

    def __init__(
        self,
        log: EventLog,
        session_id: str,
        kinds: Collection[str],
        position: int | None,
        *,
        log_changed: bool,
        on_drop: Callable[[int], None],
    ) -> None:
        self._log = log
        self._session_id = session_id
        self._kinds = frozenset(kinds)
        self._log_changed = log_changed
        self._on_drop = on_drop
        self.position = log.end if position is None else position

    async def __aiter__(self) -> AsyncIterator[Watched]:
        dropped = 0
        while True:
            first, entries = self._log.read(self.position)
            if first > self.position:
                self._on_drop(first - self.position)
                dropped += first - self.position
            self.position = first
            for session_id, stream_id, kind, event, _ in entries:
                self.position += 1
                if self._wants(session_id, stream_id, kind):
                    yield Watched(session_id, event, self.position, dropped, self._log_changed)
                    dropped, self._log_changed = 0, False
            if not entries:
                if self._log.closed:
                    return
                await self._log.changed()
            else:
                await asyncio.sleep(0)  # of many that are passed over, too, the log may be long

    def _wants(self, session_id: str, stream_id: str, kind: str) -> bool:
        of_session = not self._session_id or self._session_id in (session_id, stream_id)
        return of_session and (not self._kinds or kind in self._kinds)
