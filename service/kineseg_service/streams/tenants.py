"""The streams and events of every tenant. Each has a registry of its own: what is another's cannot be looked up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kineseg_service.config import Settings
from kineseg_service.logs import get_logger
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.deliveries import HandOver
from kineseg_service.scheduler.engine import Engine
from kineseg_service.streams.claims import Claims, ClaimsOf, NoClaims
from kineseg_service.streams.event_log import EventLog
from kineseg_service.streams.house import House
from kineseg_service.streams.live import LiveStreams
from kineseg_service.streams.onlooker import Onlooker
from kineseg_service.traces import Traces

_log = get_logger(__name__)
# How often streams are looked at of which nothing comes.
_LOOK_S = 1.0


class EventLogs:
    """The events of every tenant.

    Args:
        make: Makes a log.
    """

    def __init__(self, make: Callable[[], EventLog]) -> None:
        self._make = make
        self._logs: dict[str, EventLog] = {}
        self._closed = False

    def of(self, tenant: str) -> EventLog:
        """Those of one tenant."""
        log = self._logs.get(tenant)
        if log is None:
            log = self._logs[tenant] = self._make()
            if self._closed:
                log.close()
        return log

    def close(self) -> None:
        """Nothing more will happen."""
        self._closed = True
        for log in self._logs.values():
            log.close()


class TenantStreams:
    """The open streams of every tenant. To be used in one event loop.

    Args:
        engine: What steps them; `from_engine` is to get its deliveries.
        logs: Get all events.
        metrics: Where streams and events are counted.
        settings: Limits.
        claims: Names that other processes of the server have taken.
        onlooker: Shows them on a page; none: there is no page.
        traces: Gets a span of each event; none: no one wants any.
    """

    def __init__(
        self,
        engine: Engine,
        logs: EventLogs,
        metrics: Metrics,
        settings: Settings,
        claims: Claims | None = None,
        onlooker: Onlooker | None = None,
        traces: Traces | None = None,
    ) -> None:
        self._house = House(engine, metrics, settings, onlooker, traces)
        self._logs = logs
        self._claims = claims or NoClaims()
        self._streams: dict[str, LiveStreams] = {}
        self._next_look = self._house.loop.call_later(_LOOK_S, self._look)

    def __len__(self) -> int:
        return len(self._house)

    def of(self, tenant: str) -> LiveStreams:
        """Those of one tenant."""
        streams = self._streams.get(tenant)
        if streams is None:
            claims = ClaimsOf(tenant, self._claims)
            streams = self._streams[tenant] = LiveStreams(self._house, self._logs.of(tenant), claims, tenant)
        return streams

    def from_engine(self, hand_over: HandOver) -> None:
        """Takes what streams give from the engine, in its thread."""
        self._house.from_engine(hand_over)

    async def drain(self, grace_s: float) -> None:
        """Opens no more streams, ends all that are open, and waits until they are gone, at most `grace_s` seconds."""
        self._house.begin_to_drain()
        for streams in self._streams.values():
            streams.drain()
        try:
            async with asyncio.timeout(grace_s):
                await self._house.emptied()
        except TimeoutError:
            _log.warning("streams outlast the grace period", streams=len(self), grace_s=grace_s)
        finally:
            self._next_look.cancel()

    def _look(self) -> None:
        for streams in self._streams.values():
            streams.look()
        self._house.settle()
        self._next_look = self._house.loop.call_later(_LOOK_S, self._look)
