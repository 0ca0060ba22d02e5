"""The open streams as the event loop sees them: chunks go in under backpressure, outputs come out, all can end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from kineseg_core.errors import CoreError, Full
from kineseg_core.events import KIND_NAMES, EndReason, Event, Output, SegmentClosed, Summary
from kineseg_core.inference.decoder import Decoder
from kineseg_core.session import Progress, Session

from kineseg_service.config import Settings
from kineseg_service.errors import Draining, Idle, SessionExists, UnknownSession
from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.engine import Delivery, Engine, Item, ScheduledStream, weight
from kineseg_service.streams.hub import Hub

_log = get_logger(__name__)
# So much of a chunk is taken at a time, and other streams have their turn after so long.
_PIECE = 256
_TURN_S = 0.002


class LiveStream:
    """One open stream. To be used in one event loop.

    Attributes:
        session: What it feeds; only its receiving half may be used here.
        error: What the call is to end with, after everything that follows from accepted frames has been sent.
        given_up: Its client takes nothing, and has not for too long.
        released: Its slot has been given back.
        ended: The summary, once the stream has come to its end; the error with which it failed.
    """

    def __init__(self, session: Session, stream: ScheduledStream, engine: Engine, settings: Settings) -> None:
        self.session = session
        self.error: CoreError | None = None
        self.given_up = False
        self.released = False
        self.ended: asyncio.Future[Summary] = asyncio.get_running_loop().create_future()
        self.ended.add_done_callback(_look_at)
        self._stream = stream
        self._engine = engine
        self._queue_frames = settings.queue_frames
        self._few_outputs = settings.queue_responses // 2
        self._submitted = 0
        self._room = asyncio.Event()
        self._outputs: deque[Output] = deque()
        self._changed = asyncio.Event()
        self._ending = False
        self._loop = asyncio.get_running_loop()
        self.active_at = self._loop.time()
        self.idle_timer: asyncio.TimerHandle | None = None

    @property
    def session_id(self) -> str:
        """Name of the session."""
        return self.session.config.session_id

    @property
    def stream_id(self) -> str:
        """The id of the stream."""
        return self.session.config.stream_id

    @property
    def stream(self) -> ScheduledStream:
        """The engine's side of it."""
        return self._stream

    @property
    def ending(self) -> bool:
        """Nothing more is accepted."""
        return self._ending

    async def accept(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> None:
        """Takes a chunk; returns when there is room for another one.

        Raises:
            InvalidFrame: The chunk is refused, nothing of it has been taken.
        """
        self._touch()
        items: list[Item] = []
        size = 0
        turn = self._loop.time()
        for item in self.session.take(first_frame, data, capture_times_ns):
            items.append(item)
            size += weight(item)
            if size < min(_PIECE, self._queue_frames) and self._loop.time() - turn < _TURN_S:
                continue
            # Handed over before others have their turn: one of them may end the stream.
            await self._submit(items, size)
            await asyncio.sleep(0)
            if self._ending:
                return
            items, size, turn = [], 0, self._loop.time()
        if items:
            await self._submit(items, size)

    async def _submit(self, items: list[Item], size: int) -> None:
        """Hands items to the engine, and waits for room.

        Everything that waits counts, be it a frame, a gap or the mere end of a chunk: a client may send nothing else.
        """
        self._submitted += size
        self._engine.submit(self._stream, items)
        if self._submitted - self._stream.passed >= self._queue_frames:
            await self._wait_for_room()

    def end(self, reason: EndReason, error: CoreError | None = None) -> None:
        """Lets what was accepted go through and sums up; only the first call counts."""
        if self._ending:
            return
        if reason is EndReason.COMPLETED:
            try:
                self.session.intake.check_end()
            except CoreError as refusal:
                reason, error = EndReason.REJECTED, refusal
        self._ending = True
        self.error = error
        self._engine.submit(self._stream, self.session.end(reason))
        self._room.set()

    async def outputs(self) -> AsyncIterator[Output]:
        """What the stream gives, to its end; then raises the error with which it failed, if it did."""
        while True:
            while self._outputs:
                yield self._outputs.popleft()
                self._written()
            if self.ended.done():
                self.ended.result()
                return
            self._changed.clear()
            await self._changed.wait()

    def deliver(self, delivery: Delivery) -> None:
        """The engine has got further."""
        self._touch()
        self._outputs.extend(delivery.outputs)
        # The engine gives a slot back before it reports the end.
        self.released = delivery.summary is not None or delivery.error is not None
        if delivery.error is not None:
            self._stop(delivery.error)
        elif delivery.summary is not None and not self.ended.done():
            self.ended.set_result(delivery.summary)
        if self._submitted - delivery.passed <= self._queue_frames // 2:
            self._room.set()
        self._changed.set()

    def vanish(self) -> None:
        """The client is gone: whoever waits for the end gets an error."""
        self._stop(UnknownSession(f"session {self.session_id!r} was cancelled by its client", field="session_id"))

    def _stop(self, error: CoreError) -> None:
        self._ending = True
        if not self.ended.done():
            self.ended.set_exception(error)
        self._room.set()
        self._changed.set()

    def _written(self) -> None:
        self._touch()
        stream = self._stream
        stream.written += 1
        # The engine sets the flag before it looks at the count a last time, so that one of the two always sees.
        if stream.stalled and stream.produced - stream.written <= self._few_outputs:
            self._engine.wake(stream)

    async def _wait_for_room(self) -> None:
        while not self._ending and self._submitted - self._stream.passed > self._queue_frames // 2:
            self._room.clear()
            await self._room.wait()

    def _touch(self) -> None:
        self.active_at = self._loop.time()


def _look_at(future: asyncio.Future[Summary]) -> None:
    """An error that no one asks for is no one's business."""
    if not future.cancelled():
        future.exception()


class LiveStreams:
    """All open streams of a server. To be used in one event loop.

    Args:
        engine: What steps them; `from_engine` is to get its deliveries.
        hub: Gets all events.
        metrics: Where streams and events are counted.
        settings: Limits.
    """

    def __init__(self, engine: Engine, hub: Hub, metrics: Metrics, settings: Settings) -> None:
        self._engine = engine
        self._hub = hub
        self._metrics = metrics
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._names: set[str] = set()
        self._streams: dict[str, LiveStream] = {}
        self._named: dict[str, str] = {}  # the names of the same, by the ids of their streams
        self._of: dict[ScheduledStream, LiveStream] = {}
        self._draining = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._names)

    def from_engine(self, deliveries: list[Delivery]) -> None:
        """Takes the engine's deliveries, in its thread."""
        with contextlib.suppress(RuntimeError):  # the loop has been closed: no one is left to get them
            self._loop.call_soon_threadsafe(self._deliver, deliveries)

    async def open(self, session: Session, kill: Callable[[], object], own: Decoder | None = None) -> LiveStream:
        """Opens a stream; `kill` ends its call when the client takes nothing any more. `own`: see `Engine.open`.

        Raises:
            Draining: The server is shutting down.
            Full: There are as many streams as there may be.
            SessionExists: An open session has that name.
        """
        name = session.config.session_id
        if self._draining.is_set():
            raise Draining("the server is shutting down; try another one")
        if name in self._names or name in self._named:
            raise SessionExists(f"a session {name!r} is open already", field="session_id")
        if len(self._names) >= self._settings.max_sessions:
            most = self._settings.max_sessions
            raise Full(f"all {most} streams are taken; try again later", maximum=most)
        self._names.add(name)
        self._empty.clear()
        opening = asyncio.ensure_future(asyncio.wrap_future(self._engine.open(session, own)))
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
            live = LiveStream(session, stream, self._engine, self._settings)
            self._streams[name] = live
            self._named[live.stream_id] = name
            self._of[stream] = live
            self._count()
            self._watch_idle(live, kill)
            if self._draining.is_set():
                live.end(EndReason.DRAINED)
        except BaseException:
            self._of.pop(stream, None)
            self._streams.pop(name, None)
            self._named.pop(session.config.stream_id, None)
            # Before its client learns of it, so that the client's next stream finds room.
            await asyncio.shield(self._release(stream, name))
            raise
        return live

    def close(self, live: LiveStream) -> None:
        """Forgets a stream whose call is over; its name and slot are free once the engine has let go of it."""
        live.vanish()
        if live.idle_timer is not None:
            live.idle_timer.cancel()
        self._of.pop(live.stream, None)
        self._streams.pop(live.session_id, None)
        self._named.pop(live.stream_id, None)
        if live.released:
            # Before its client learns that it is over, so that the client's next stream finds room.
            self._forget(live.session_id)
        else:
            self._release(live.stream, live.session_id)

    def get(self, session_id: str, *, field: str = "session_id") -> LiveStream:
        """An open stream, by the name of its session or by its own id; `field` is where that stands in the request.

        Raises:
            UnknownSession: There is none of that name or id.
        """
        live = self._streams.get(self._named.get(session_id, session_id))
        if live is None:
            raise UnknownSession(f"there is no open session {session_id[:64]!r}", field=field)
        return live

    async def progress(self) -> list[tuple[LiveStream, Progress]]:
        """All open streams in the order of their opening, and how far each has come."""
        streams = list(self._streams.values())
        progress = await asyncio.wrap_future(self._engine.call(lambda: [live.session.progress for live in streams]))
        return list(zip(streams, progress, strict=True))

    async def describe(self, live: LiveStream) -> tuple[Progress, list[SegmentClosed]]:
        """How far a stream has come, and the segments that it has closed so far."""
        session = live.session
        return await asyncio.wrap_future(self._engine.call(lambda: (session.progress, list(session.segments))))

    async def drain(self, grace_s: float) -> None:
        """Opens no more streams, ends all that are open, and waits until they are gone, at most `grace_s` seconds."""
        self._draining.set()
        for live in self._streams.values():
            live.end(EndReason.DRAINED)
        try:
            async with asyncio.timeout(grace_s):
                await self._empty.wait()
        except TimeoutError:
            _log.warning("streams outlast the grace period", streams=len(self._names), grace_s=grace_s)

    def _deliver(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            live = self._of.get(delivery.stream)
            if live is None:
                continue
            with harmless("metrics and watchers"):
                for output in delivery.outputs:
                    if isinstance(output, Event):
                        self._metrics.event(KIND_NAMES[type(output.detail)])
                        self._hub.publish(live.session_id, output)
            live.deliver(delivery)

    def _abandon_unborn(self, opening: asyncio.Future[ScheduledStream], name: str) -> None:
        if opening.cancelled() or opening.exception() is not None:
            self._forget(name)
        else:
            self._release(opening.result(), name)

    def _release(self, stream: ScheduledStream, name: str) -> asyncio.Future[None]:
        """Gives slot and name back; the future is done once both are free."""
        free: asyncio.Future[None] = self._loop.create_future()

        def forget() -> None:
            self._forget(name)
            if not free.done():
                free.set_result(None)

        def released() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed: there are no names to keep free
                self._loop.call_soon_threadsafe(forget)

        self._engine.abandon(stream, released)
        return free

    def _forget(self, name: str) -> None:
        self._names.discard(name)
        if not self._names:
            self._empty.set()
        self._count()

    def _count(self) -> None:
        with harmless("metrics"):
            self._metrics.streams(len(self._names))

    def _watch_idle(self, live: LiveStream, kill: Callable[[], object]) -> None:
        """Looks when the stream could have stood still for too long, and costs nothing in between."""
        limit = self._settings.idle_timeout_s
        left = live.active_at + limit - self._loop.time()
        if left <= 0:
            error = Idle(f"the stream has stood still for {limit:g} s; send frames or half-close")
            if live.ending:
                # It has been ended, and its client does not read what is left to send.
                live.error = error
                live.given_up = True
                kill()
                return
            live.end(EndReason.IDLE, error)
            left = limit
        live.idle_timer = self._loop.call_later(left, self._watch_idle, live, kill)
