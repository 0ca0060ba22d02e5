"""The open streams of a tenant: they are opened, found, and forgotten."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

from kineseg_core.events import EndReason, Event, SegmentClosed
from kineseg_core.inference.decoder import Decoder
from kineseg_core.session import Progress, Session
from kineseg_core.snapshot import Snapshot

from kineseg_service.config import Settings
from kineseg_service.errors import Idle, SessionExists, UnknownSession
from kineseg_service.logs import harmless
from kineseg_service.scheduler.deliveries import Delivery
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import ScheduledStream
from kineseg_service.streams.claims import Claims
from kineseg_service.streams.event_log import EventLog
from kineseg_service.streams.feeder import Feeder
from kineseg_service.streams.house import House
from kineseg_service.streams.one_by_one import OneByOne
from kineseg_service.streams.open_stream import OpenStream
from kineseg_service.streams.resumption import Resumption
from kineseg_service.streams.tally import Tally
from kineseg_service.streams.together import Together

Opened = TypeVar("Opened", bound=OpenStream, covariant=True)
NAME_PATIENCE_S = 1.0
"""For so long after a call has begun its sessions wait for names that other calls have. Who cancels a call and begins
another one with the same names is right to do so, but that the first is over comes to the server after the second."""
_LOOK_AGAIN_S = 0.01  # whether a name has become free


class Make(Protocol[Opened]):
    """Makes the kind of stream that is opened."""

    def __call__(self, session: Session, stream: ScheduledStream, engine: Engine, settings: Settings) -> Opened: ...


class LiveStreams:
    """The open streams of one tenant. To be used in one event loop.

    Args:
        house: What they share with those of others.
        events: Gets all events.
        claims: Names that other processes of the server have taken.
        tenant: Whose they are.

    Attributes:
        resumption: How streams outlive their calls.
    """

    def __init__(self, house: House, events: EventLog, claims: Claims, tenant: str = "") -> None:
        self._tenant = tenant
        self._claims = claims
        self._house = house
        self._engine = house.engine
        self._events = events
        self._metrics = house.metrics
        self._tally = Tally(house.metrics, tenant)
        self._settings = house.settings
        self._names: set[str] = set()
        self._streams: dict[str, OpenStream] = {}
        self._named: dict[str, str] = {}  # the names of the same, by the ids of their streams
        self.resumption = Resumption(self, house)

    @property
    def tenant(self) -> str:
        """Whose they are."""
        return self._tenant

    @property
    def draining(self) -> bool:
        """The server is shutting down: no stream is opened."""
        return self._house.draining

    @property
    def at_drain(self) -> set[Callable[[], object]]:
        """Is called when the server begins to shut down."""
        return self._house.at_drain

    @property
    def together(self) -> Together:
        """What takes the chunks of streams with calls of their own."""
        return self._house.together

    @property
    def arrivals(self) -> OneByOne:
        """Where streams of all tenants take turns to be opened."""
        return self._house.arrivals

    @property
    def departures(self) -> OneByOne:
        """Where streams of all tenants take turns to end, or to be left by their calls."""
        return self._house.departures

    def feeder(self) -> Feeder:
        """What takes the chunks of a call of many streams."""
        return Feeder(self._engine, self._metrics, self._house.back_row)

    async def open(
        self,
        session: Session,
        make: Make[Opened],
        own: Decoder | None = None,
        snapshot: Snapshot | None = None,
        *,
        until: float = 0.0,
    ) -> Opened:
        """Opens a stream, as what `make` makes, once it is its turn. `own`, `snapshot`: see `Engine.open`.

        Until then, by `time.monotonic`, it waits for an open session of its name to end.

        Raises:
            Draining: The server is shutting down.
            Full: There are as many streams as there may be.
            SessionExists: An open session has that name.
        """
        name = session.config.session_id
        while True:
            self._house.check_open()
            if self._is_free(name):  # who waits for a name holds up no one whose turn it is
                async with self._house.arrivals:
                    if live := await self.open_in_turn(session, make, own, snapshot):
                        return live
            is_going = name in self._names and name not in self._streams  # or only just coming
            if not is_going and monotonic() >= until:
                raise SessionExists(f"a session {name!r} is open already", field="session_id")
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def open_in_turn(
        self, session: Session, make: Make[Opened], own: Decoder | None = None, snapshot: Snapshot | None = None
    ) -> Opened | None:
        """The same for whom it is the turn of; none where an open session has the name."""
        name, stream_id = session.config.session_id, session.config.stream_id
        if not (self._is_free(name) and await self._take_name(name, stream_id)):
            return None
        return await self._opened(session, make, own, snapshot)

    async def _opened(
        self, session: Session, make: Make[Opened], own: Decoder | None, snapshot: Snapshot | None
    ) -> Opened:
        """A stream whose name has been taken."""
        name = session.config.session_id
        self._house.take_place()
        opening = asyncio.ensure_future(asyncio.wrap_future(self._engine.open(session, own, snapshot)))
        try:
            stream = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The slot may be lent at this very moment: it is given back as soon as it is known.
            opening.add_done_callback(lambda done: self._abandon_unborn(done, name))
            raise
        except BaseException:
            self._forget(name)
            raise
        try:
            live = make(session, stream, self._engine, self._settings)
            live.back_row = self._house.back_row
            self._streams[name] = live
            self._named[live.stream_id] = name
            self._house.deliver_to[stream] = partial(self._deliver, live)
            self._house.streams[stream] = live
            self._house.count()
            if self._house.onlooker is not None:
                self._house.onlooker.opened(self._tenant, live)
            self.watch_idle(live)
            if self._house.draining:
                live.end(EndReason.DRAINED)
        except BaseException:
            self._house.deliver_to.pop(stream, None)
            self._house.streams.pop(stream, None)
            self._streams.pop(name, None)
            self._named.pop(session.config.stream_id, None)
            # Before its client learns of it, so that the client's next stream finds room.
            await asyncio.shield(self._release(stream, name))
            raise
        return live

    def close(self, live: OpenStream) -> asyncio.Future[None] | None:
        """Forgets a stream that is over for its client.

        Returns:
            What is done once the engine has let go of it, and its name and slot are free; none if they are already.
        """
        live.vanish()
        live.at_close()
        if live.beside is not None:
            live.beside.forget()
        self._house.parking.remove(live)
        if live.idle_timer is not None:
            live.idle_timer.cancel()
        with harmless("metrics"):
            self._tally.gone(live)
        self._house.deliver_to.pop(live.stream, None)
        self._house.streams.pop(live.stream, None)
        self._streams.pop(live.session_id, None)
        self._named.pop(live.stream_id, None)
        if live.released:
            if self._house.onlooker is not None:
                self._house.onlooker.gone(live.stream)
            # Before its client learns that it is over, so that the client's next stream finds room.
            self._forget(live.session_id)
            return None
        return self._release(live.stream, live.session_id)

    def get(self, session_id: str, *, field: str = "session_id") -> OpenStream:
        """An open stream, by the name of its session or by its own id; `field` is where that stands in the request.

        Raises:
            UnknownSession: There is none of that name or id.
        """
        live = self._streams.get(self._named.get(session_id, session_id))
        if live is None:
            raise UnknownSession(f"there is no open session {session_id[:64]!r}", field=field)
        return live

    def find(self, stream_id: str) -> OpenStream | None:
        """An open stream, by its own id."""
        name = self._named.get(stream_id)
        return None if name is None else self._streams.get(name)

    def is_parked(self, live: OpenStream) -> bool:
        """Whether its call has broken and it waits for its client."""
        return live in self._house.parking

    async def progress(self) -> list[tuple[OpenStream, Progress]]:
        """All open streams in the order of their opening, and how far each has come."""
        streams = list(self._streams.values())
        progress = await asyncio.wrap_future(self._engine.call(lambda: [live.session.progress for live in streams]))
        return list(zip(streams, progress, strict=True))

    async def describe(self, live: OpenStream) -> tuple[Progress, list[SegmentClosed]]:
        """How far a stream has come, and the segments that it has closed so far."""
        session = live.session
        return await asyncio.wrap_future(self._engine.call(lambda: (session.progress, list(session.segments))))

    def look(self) -> None:
        """Counts the streams of which nothing comes."""
        with harmless("metrics"):
            calls = [live for live in self._streams.values() if live not in self._house.parking]
            self._tally.look(calls, self._settings.silent_s)

    def drain(self) -> None:
        """Ends all that are open."""
        for live in list(self._streams.values()):
            if live.beside is not None and not live.ending:
                self.resumption.hand_over(live)
                continue
            live.end(EndReason.DRAINED)
            if live in self._house.parking:
                self.resumption.drop(live, "its server has shut down")

    def _deliver(self, live: OpenStream, delivery: Delivery) -> None:
        events = [output for output in delivery.outputs if isinstance(output, Event)]
        if events:
            with harmless("watchers"):
                for event in events:
                    self._events.publish(live.session_id, event)
            with harmless("metrics"):
                self._tally.emitted(live, events, delivery.came)
            if self._house.traces is not None:
                with harmless("traces"):
                    self._house.traces.emitted(
                        events, delivery.came, live.session.config, self._tenant, live.traceparent
                    )
        live.deliver(delivery)
        if live.ended.done() and live in self._house.parking:
            self.resumption.conclude(live)

    def _is_free(self, name: str) -> bool:
        """Whether no session here has a name; one whose stream is parked is given up for it."""
        live = self._streams.get(self._named.get(name, name))
        if live is not None and live in self._house.parking:
            self.resumption.drop(live, "another session of its name has been opened")
        return name not in self._names and name not in self._named

    async def _take_name(self, name: str, stream_id: str) -> bool:
        """Takes a name, unless another session has come to have it meanwhile."""
        self._house.check_open()
        await self._house.make_room()
        self._house.check_room()
        if not self._is_free(name) or not self._claims.take(name, stream_id):
            return False
        self._names.add(name)
        return True

    def _abandon_unborn(self, opening: asyncio.Future[ScheduledStream], name: str) -> None:
        if opening.cancelled() or opening.exception() is not None:
            self._forget(name)
        else:
            self._release(opening.result(), name)

    def _release(self, stream: ScheduledStream, name: str) -> asyncio.Future[None]:
        """Gives slot and name back; the future is done once both are free."""
        free: asyncio.Future[None] = self._house.loop.create_future()

        def forget() -> None:
            self._forget(name)
            if not free.done():
                free.set_result(None)

        def released() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed: there are no names to keep free
                self._house.loop.call_soon_threadsafe(forget)

        self._engine.abandon(stream, released)
        return free

    def _forget(self, name: str) -> None:
        self._claims.free(name)
        if name in self._names:
            self._names.remove(name)
            self._house.free_place()

    def watch_idle(self, live: OpenStream) -> None:
        """Looks when the stream could have stood still for too long, and costs nothing in between."""
        limit = self._settings.idle_timeout_s
        left = live.active_at + limit - monotonic()
        if left <= 0:
            error = Idle(f"the stream has stood still for {limit:g} s; send frames or half-close")
            if live.ending:
                # It has been ended, and its client does not read what is left to send.
                live.give_up(error)
                return
            live.end(EndReason.IDLE, error)
            left = limit
        live.idle_timer = self._house.loop.call_later(left, self.watch_idle, live)
