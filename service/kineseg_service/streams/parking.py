"""Streams whose calls have broken: they keep their slots for some time, and make room for others before it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics
from kineseg_service.streams.open_stream import OpenStream

Drop = Callable[[str], "asyncio.Future[None] | None"]
"""Gives a stream up for the reason given; what is done once its slot is free, see `LiveStreams.close`."""
Leave = Callable[[], "asyncio.Future[None] | None"]
"""The same, without loss."""


class Parking:
    """The parked streams of all tenants. To be used in one event loop.

    Args:
        keep_s: For so long a stream is kept.
        most: So many are kept at most; beyond it, the one that was parked first is given up.
        metrics: Where they are counted.
    """

    def __init__(self, keep_s: float, most: int, metrics: Metrics) -> None:
        self._keep_s = keep_s
        self._most = most
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._parked: dict[OpenStream, tuple[Drop, Leave | None, asyncio.TimerHandle]] = {}

    def __contains__(self, live: OpenStream) -> bool:
        return live in self._parked

    def add(self, live: OpenStream, drop: Drop, leave: Leave | None = None) -> None:
        """A stream's client is gone, and may come back; `leave`: of one that is kept elsewhere, too."""
        timer = self._loop.call_later(self._keep_s, self._expire, live)
        self._parked[live] = drop, leave, timer
        self._count()
        if len(self._parked) > self._most:
            self._give_up(next(iter(self._parked)))

    def remove(self, live: OpenStream) -> None:
        """It is not parked any more, if it was."""
        entry = self._parked.pop(live, None)
        if entry is not None:
            entry[2].cancel()
            self._count()

    async def evict(self, among: Callable[[OpenStream], bool] = lambda live: True) -> bool:
        """Gives up the one that was parked first, of those; whether there was any, whose slot is free then."""
        live = next(filter(among, self._parked), None)
        if live is None:
            return False
        free = self._give_up(live)
        if free is not None:
            await free
        return True

    def _give_up(self, live: OpenStream) -> asyncio.Future[None] | None:
        drop, leave, _ = self._parked[live]
        self.remove(live)
        if leave is not None:
            return leave()
        with harmless("metrics"):
            self._metrics.evicted()
        return drop("it had to make room for others")

    def _expire(self, live: OpenStream) -> None:
        drop, *_ = self._parked[live]
        self.remove(live)
        with harmless("metrics"):
            self._metrics.expired()
        drop(f"its client was gone for {self._keep_s:g} s")

    def _count(self) -> None:
        with harmless("metrics"):
            self._metrics.parked(len(self._parked))
            self._metrics.uses("max_parked", len(self._parked) / self._most)
