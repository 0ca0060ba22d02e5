"""Events of streams that this command segments, on their way to sinks, which hold up nothing here."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from kineseg import Event, FrameResult
from kineseg.sinks import Counts, Relay, SinkEvent, open_sink

from kineseg_cli.live.listener import LiveStream, Silent

_Result = TypeVar("_Result")


def counted(name: str, counts: Counts) -> str:
    """What has become of a sink's events, in a line."""
    dropped = f", {counts.dropped} dropped ({counts.dropped_provisional} provisional)" if counts.dropped else ""
    refused = f", {counts.refused} refused" if counts.refused else ""
    waiting = f", {counts.waiting} wait" if counts.waiting else ""
    return f"{name}: {counts.delivered} events delivered{dropped}{refused}{waiting}"


class Sinks(Silent):
    """A relay in a thread of its own; entered with ``with``. Leaving it waits a moment for what is on its way.

    Args:
        urls: Where to.
        path: File of what waits; None: memory, so that what waits in the end is lost.
        say: Is called with what one should know, in whatever thread.

    Raises:
        SinkError: A sink or, on entering, the file cannot be used.
    """

    def __init__(self, urls: Sequence[str], path: Path | None, say: Callable[[str], None]) -> None:
        self._sinks = [open_sink(url) for url in urls]
        self._path = path
        self._say = say

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kineseg-sinks", daemon=True)
        self._thread.start()
        try:
            self._relay = self._done(self._open())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            counts = self._done(self._close())
        finally:
            self._end()
        for name, of_sink in counts.items():
            self._say(counted(name, of_sink) + (" in vain" if of_sink.waiting and self._path is None else ""))

    def add(self, event: Event, session_id: str = "") -> None:
        """An event; returns at once."""
        self._loop.call_soon_threadsafe(self._take, SinkEvent(event.to_dict(), session_id or event.stream_id))

    def item(self, stream: LiveStream, item: Event | FrameResult) -> None:
        """See `Listener`; the session is called after its performer."""
        if isinstance(item, Event):
            self.add(item, stream.performer)

    def _take(self, event: SinkEvent) -> None:
        try:
            self._relay.take([event])
        except sqlite3.Error as error:
            self._say(f"{self._path}: {error}; event {event.id} goes to no sink")

    async def _open(self) -> Relay:
        relay = Relay(self._sinks, self._path, self._say)
        relay.streams_ended(relay.standing_streams())  # they were those of an earlier process
        return await relay.__aenter__()

    async def _close(self) -> dict[str, Counts]:
        await self._relay.__aexit__(None, None, None)
        return dict(self._relay.counts)

    def _done(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
