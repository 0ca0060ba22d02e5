"""The open streams as the event loop sees them: chunks go in under backpressure, outputs come out, all can end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

from kineseg_core.errors import CoreError
from kineseg_core.events import Ack, EndReason, Event, Output, SegmentClosed
from kineseg_core.inference.decoder import Decoder
from kineseg_core.intake.intake import Taken
from kineseg_core.session import Progress, Session
from kineseg_core.snapshot import Snapshot

from kineseg_service.config import Settings
from kineseg_service.errors import Idle, SessionExists, UnknownSession
from kineseg_service.logs import harmless
from kineseg_service.scheduler.deliveries import Delivery
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import Item, ScheduledStream, weight
from kineseg_service.streams.call import Call
from kineseg_service.streams.claims import Claims
from kineseg_service.streams.event_log import EventLog
from kineseg_service.streams.feeder import Feeder
from kineseg_service.streams.held_acks import HeldAcks
from kineseg_service.streams.house import House
from kineseg_service.streams.member import MemberStream
from kineseg_service.streams.open_stream import AHEAD_TURN_S, PIECE, TURN_S, OpenStream
from kineseg_service.streams.resumable import Seen
from kineseg_service.streams.resumption import Resumption
from kineseg_service.streams.tally import Tally

Opened = TypeVar("Opened", bound=OpenStream, covariant=True)


class Make(Protocol[Opened]):
    """Makes the kind of stream that is opened."""

    def __call__(self, session: Session, stream: ScheduledStream, engine: Engine, settings: Settings) -> Opened: ...


class LiveStream(OpenStream):
    """An open stream with a call of its own. Acknowledgements are at least `ack_interval_s` apart.

    Attributes:
        call: That; none while there is none.
    """

    def __init__(
        self,
        session: Session,
        stream: ScheduledStream,
        engine: Engine,
        settings: Settings,
        call: Call,
        ack_interval_s: float = 0.0,
    ) -> None:
        super().__init__(session, stream, engine, settings)
        self.call: Call | None = call
        self.ack_interval_s = ack_interval_s
        self._held_acks = HeldAcks(ack_interval_s, self._put) if ack_interval_s else None
        self._room = asyncio.Event()
        self._outputs: deque[Output] = deque()
        self._changed = asyncio.Event()
        self._accepting = False

    async def accept(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> None:
        """Takes a chunk; returns when there is room for another one.

        Raises:
            InvalidFrame: The chunk is refused, nothing of it has been taken.
        """
        self._accepting = True
        try:
            await self._accept(first_frame, data, capture_times_ns)
        finally:
            self._accepting = False
            if wanted := self._wanted_snapshot():
                self._engine.submit(self._stream, wanted)

    async def _accept(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> None:
        came = self.active_at = monotonic()
        self._spend(data)
        taking = self.session.take(first_frame, data, capture_times_ns)
        try:
            is_over = False
            while not is_over:
                # What is taken is handed over before others have their turn: one of them may end the stream.
                if self.ahead:
                    async with self.back_row:
                        is_over = self._take_piece(taking, came, AHEAD_TURN_S)
                        await asyncio.sleep(0)
                else:
                    is_over = self._take_piece(taking, came, TURN_S)
                    if not is_over:
                        await asyncio.sleep(0)
                if self._submitted - self._stream.passed >= self._queue_frames:
                    await self._wait_for_room()
                if self._ending:
                    return
        except asyncio.CancelledError:
            # Its client sends again what has not been taken, from a frame on: a chunk is taken as a whole.
            if self.resumable is not None and not self._ending:
                rest = list(taking)
                self._submitted += sum(map(weight, rest))
                self._engine.submit(self._stream, rest, came)
            raise

    def _take_piece(self, taking: Iterator[Taken], came: float, turn_s: float) -> bool:
        """Hands some of a chunk to the engine; whether that was the last of it.

        Everything that waits counts, be it a frame, a gap or the mere end of a chunk: a client may send nothing else.
        """
        until = monotonic() + turn_s
        items: list[Item] = []
        size = 0
        is_over = True
        for item in taking:
            items.append(item)
            size += weight(item)
            if size >= min(PIECE, self._queue_frames) or monotonic() >= until:
                is_over = False
                break
        self._submitted += size
        if items:
            self._engine.submit(self._stream, items, came)
        return is_over

    async def outputs(self) -> AsyncIterator[Output]:
        """What the stream gives, to its end; then raises the error with which it failed, if it did."""
        while True:
            while self._outputs:
                output = self._outputs.popleft()
                self._written(1)
                if self.resumable is not None:
                    if self.resumable.seen.covers(output):
                        continue
                    self.resumable.sent.add(output)
                yield output
            if self.ended.done():
                self.ended.result()
                return
            self._changed.clear()
            await self._changed.wait()

    def deliver(self, delivery: Delivery) -> None:
        """The engine has got further."""
        outputs = delivery.outputs
        if self._held_acks is not None:
            ended = delivery.summary is not None or delivery.error is not None
            outputs, passed_over = self._held_acks.sift(outputs, to_the_end=ended)
            self._written(passed_over)
        self._outputs.extend(outputs)
        super().deliver(delivery)
        if self._submitted - delivery.passed <= self._queue_frames // 2:
            self._room.set()
        self._changed.set()

    @property
    def attached(self) -> bool:
        """Whether it has a call."""
        return self.call is not None

    @property
    def _mid_chunk(self) -> bool:
        return self._accepting

    def acknowledge(self, ack: Ack) -> None:
        """Its client is to hear of this."""
        if self.attached:
            self._again += 1
            self._put(ack)

    def give_up(self, error: CoreError) -> None:
        """Its client takes nothing: its call is ended with this error."""
        self.error = error
        self.abandon(error)

    def abandon(self, error: CoreError | None = None) -> None:
        """No one wants anything more of it: its call ends."""
        self.given_up = True
        if self.call is not None:
            self.call.end(error)

    def detach(self, error: CoreError) -> asyncio.Event | None:
        """Takes it from its call; see `OpenStream`."""
        if self.call is None:
            return None
        self.call.end(error)
        return self.call.over

    def park(self) -> None:
        """Its call has broken."""
        self.call = None

    def unsent(self) -> list[Output]:
        """What waits for a call."""
        return list(self._outputs)

    def resume(self, seen: Seen) -> None:
        """What its client has not seen comes next."""
        assert self.resumable is not None
        again = self.resumable.sent.since(seen)
        self.resumable.sent.take_back(len(again))
        self.resumable.seen = seen
        self._outputs.extendleft(reversed(again))
        self._again += len(again)
        self.active_at = monotonic()

    def _end_input(self, reason: EndReason, error: CoreError | None) -> list[Item]:
        self._room.set()
        return super()._end_input(reason, error)

    def _stop(self, error: CoreError) -> None:
        super()._stop(error)
        if self._held_acks is not None:
            self._held_acks.stop()
        self._room.set()
        self._changed.set()

    def _put(self, output: Output) -> None:
        self._outputs.append(output)
        self._changed.set()

    async def _wait_for_room(self) -> None:
        while not self._ending and self._submitted - self._stream.passed > self._queue_frames // 2:
            self._room.clear()
            await self._room.wait()


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

    def feeder(self) -> Feeder:
        """What takes the chunks of a call of many streams."""
        return Feeder(self._engine, self._metrics, self._house.back_row)

    async def open(
        self, session: Session, make: Make[Opened], own: Decoder | None = None, snapshot: Snapshot | None = None
    ) -> Opened:
        """Opens a stream, as what `make` makes. `own`, `snapshot`: see `Engine.open`.

        Raises:
            Draining: The server is shutting down.
            Full: There are as many streams as there may be.
            SessionExists: An open session has that name.
        """
        name = session.config.session_id
        self._house.check_open()
        await self._make_room(name)
        if name in self._names or name in self._named:
            raise SessionExists(f"a session {name!r} is open already", field="session_id")
        self._house.check_room()
        if not self._claims.take(name, session.config.stream_id):
            raise SessionExists(f"a session {name!r} is open already", field="session_id")
        self._names.add(name)
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
            if isinstance(live, MemberStream):
                self._house.members[stream] = live
            self._house.count()
            if self._house.onlooker is not None:
                self._house.onlooker.opened(self._tenant, live)
            self.watch_idle(live)
            if self._house.draining:
                live.end(EndReason.DRAINED)
        except BaseException:
            self._house.deliver_to.pop(stream, None)
            self._house.members.pop(stream, None)
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
        self._house.members.pop(live.stream, None)
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
                    self._house.traces.emitted(live, events, delivery.came, self._tenant)
        live.deliver(delivery)
        if live.ended.done() and live in self._house.parking:
            self.resumption.conclude(live)

    async def _make_room(self, name: str) -> None:
        """Gives up parked streams that are in the way of a session of this name."""
        live = self._streams.get(self._named.get(name, name))
        if live is not None and live in self._house.parking:
            free = self.resumption.drop(live, "another session of its name has been opened")
            if free is not None:
                await free
        await self._house.make_room()

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
