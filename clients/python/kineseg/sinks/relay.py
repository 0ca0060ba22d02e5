"""Events on their way to any number of sinks, none of which delays another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kineseg.sinks.delivery import Counts, Delivery
from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.sink import Sink
from kineseg.sinks.spool import Spool

GRACE_S = 5.0


class Relay:
    """Delivers events to sinks, at least once, in order for each stream; entered with ``async with``.

    Leaving it waits a moment for what is on its way; the rest stays in the file.

    Args:
        sinks: Where to; see `open_sink`.
        path: File of what waits, and of the cursor. None: memory.
        say: Is called with what one should know: a sink that fails, events that are dropped.
        grace_s: So long leaving it may wait for sinks.

    Raises:
        SinkError: The file cannot be used, or two sinks have the same name.
    """

    def __init__(
        self, sinks: Sequence[Sink], path: Path | None, say: Callable[[str], None], *, grace_s: float = GRACE_S
    ) -> None:
        names = [sink.terms.name for sink in sinks]
        for name in names:
            if names.count(name) > 1:
                raise SinkError(f"two sinks are called {name}: give one of them another name, by the option name")
        self._spool = Spool(path)
        self._grace_s = grace_s
        self._terms = [sink.terms for sink in sinks]
        self._deliveries = {sink.terms.name: Delivery(sink, self._spool, say) for sink in sinks}
        self._tasks: list[asyncio.Task[None]] = []
        for name in sorted(self._spool.names() - set(names)):
            say(f"{self._spool.count(name)} events wait in {path} for {name}, which is none of the sinks now")

    @property
    def cursor(self) -> str:
        """Where events come from goes on after what was taken; empty: nothing was."""
        return self._spool.cursor

    @property
    def counts(self) -> Mapping[str, Counts]:
        """By sink, what has become of its events."""
        return {name: delivery.counts for name, delivery in self._deliveries.items()}

    async def __aenter__(self) -> Self:
        for name, delivery in self._deliveries.items():
            self._tasks.append(asyncio.create_task(delivery.run(), name=f"kineseg sink {name}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for delivery in self._deliveries.values():
                delivery.end()
            if self._tasks:
                _, late = await asyncio.wait(self._tasks, timeout=self._grace_s)
                for task in late:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            self._spool.close()

    def take(self, events: Sequence[SinkEvent], cursor: str = "") -> None:
        """Take events; once this returns they are as safe as the file is.

        Args:
            events: In the order in which they were emitted.
            cursor: Where they come from goes on there.

        Raises:
            sqlite3.Error: The file cannot be written, such as where the disk is full; nothing was taken.
        """
        delivering = {name: delivery.delivering for name, delivery in self._deliveries.items()}
        dropped = self._spool.take(events, self._terms, cursor, delivering)
        for name, delivery in self._deliveries.items():
            if name in dropped:
                delivery.dropped(dropped[name])
            delivery.wake()

    def standing_streams(self) -> set[str]:
        """Streams of which something stands at a sink, such as an alert that goes on."""
        return {stream for delivery in self._deliveries.values() for stream in delivery.streams()}

    def streams_ended(self, streams: Collection[str]) -> None:
        """Nothing more will come of these streams, not even their end: what stands of them is over."""
        for delivery in self._deliveries.values():
            delivery.streams_ended(streams)
