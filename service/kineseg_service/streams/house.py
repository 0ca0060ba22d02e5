"""What the open streams of all tenants share: the engine and what it delivers, the room that there is, and the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from threading import get_ident
from time import monotonic

from kineseg_core.errors import Full

from kineseg_service.config import Settings
from kineseg_service.errors import Draining
from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.deliveries import Delivery, HandOver
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import ScheduledStream
from kineseg_service.streams.one_by_one import OneByOne
from kineseg_service.streams.onlooker import Onlooker
from kineseg_service.streams.open_stream import OpenStream
from kineseg_service.streams.parking import Parking
from kineseg_service.streams.together import Together
from kineseg_service.traces import Traces


class House:
    """What all open streams of a server share. To be used in one event loop.

    Args:
        engine: What steps them; `from_engine` is to get its deliveries.
        metrics: Where streams and events are counted.
        settings: Limits.
        onlooker: Shows them on a page; none: there is no page.
        traces: Gets a span of each event; none: no one wants any.

    Attributes:
        deliver_to: Gets what the engine delivers for a stream.
        streams: What hears that chunks have gone through which were taken together.
        at_drain: Is called when the server begins to shut down.
        parking: Streams whose calls have broken.
        back_row: See `OpenStream`.
        arrivals, departures: Where streams are opened, and where they end or are left.
        together: Takes the chunks of streams with calls of their own.
    """

    def __init__(
        self,
        engine: Engine,
        metrics: Metrics,
        settings: Settings,
        onlooker: Onlooker | None = None,
        traces: Traces | None = None,
    ) -> None:
        self.engine = engine
        self.metrics = metrics
        self.settings = settings
        self.onlooker = onlooker
        self.traces = traces
        self.loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self.deliver_to: dict[ScheduledStream, Callable[[Delivery], object]] = {}
        self.streams: dict[ScheduledStream, OpenStream] = {}
        self.at_drain: set[Callable[[], object]] = set()
        self.parking = Parking(settings.resume_s, settings.max_parked, metrics)
        self.back_row, self.arrivals, self.departures = OneByOne(), OneByOne(), OneByOne()
        self.together = Together(engine, metrics, settings.tick_s)
        self._draining = False
        self._taken = 0
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return self._taken

    @property
    def draining(self) -> bool:
        """The server is shutting down: no stream is opened."""
        return self._draining

    def check_open(self) -> None:
        """Raises `Draining` when the server is shutting down."""
        if self._draining:
            raise Draining("the server is shutting down; try another one")

    async def make_room(self) -> None:
        """Gives up parked streams where there is no room for another one."""
        while self._taken >= self.settings.max_sessions and await self.parking.evict():
            pass

    def check_room(self) -> None:
        """Raises `Full` when there are as many streams as there may be."""
        most = self.settings.max_sessions
        if self._taken >= most:
            raise Full(f"all {most} streams are taken; try again later", maximum=most)

    def take_place(self) -> None:
        """A stream is there."""
        self._taken += 1
        self._empty.clear()

    def free_place(self) -> None:
        """A stream is gone."""
        self._taken -= 1
        if not self._taken:
            self._empty.set()
        self.count()

    def count(self) -> None:
        """Says how many streams there are."""
        with harmless("metrics"):
            self.metrics.streams(self._taken)
            self.metrics.uses("max_sessions", self._taken / self.settings.max_sessions)
        self.settle()

    def settle(self) -> None:
        """Hands over what has been counted."""
        with harmless("metrics"):
            self.metrics.settle()

    def from_engine(self, hand_over: HandOver) -> None:
        """Takes what streams give from the engine, in its thread or the loop's."""
        if get_ident() == self._thread:
            self.loop.call_soon(self._deliver, hand_over)
            return
        with contextlib.suppress(RuntimeError):  # the loop has been closed: no one is left to get it
            self.loop.call_soon_threadsafe(self._deliver, hand_over)

    def begin_to_drain(self) -> None:
        """From now on no stream is opened."""
        self._draining = True
        for callback in list(self.at_drain):
            callback()

    async def emptied(self) -> None:
        """Returns when no stream is left."""
        await self._empty.wait()

    def _deliver(self, hand_over: HandOver) -> None:
        streams, now = self.streams, monotonic()
        for stream, frames, passed in hand_over.through:
            if (live := streams.get(stream)) is not None:
                live.through(frames, passed, now)
        if self.onlooker is not None:
            for stream, _, passed in hand_over.through:
                self.onlooker.delivered(Delivery(stream, [], passed))
        for delivery in hand_over.deliveries:
            if self.onlooker is not None:
                self.onlooker.delivered(delivery)
            deliver = self.deliver_to.get(delivery.stream)
            if deliver is not None:
                deliver(delivery)
        for then, snapshot in hand_over.snapshots:
            with harmless("snapshots"):
                then(snapshot)
        self.settle()
