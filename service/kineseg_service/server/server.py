"""A server in the running event loop: it opens its ports and loads before it serves, and drains before it goes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health_aio
from kineseg import RequestError
from kineseg_core.errors import CannotStart, CoreError
from kineseg_core.garbage import collected_seldom
from kineseg_core.generic import ScratchDecoders

from kineseg_service.access.access import Access
from kineseg_service.access.certificates import Certificates
from kineseg_service.access.limits import Limits
from kineseg_service.access.of_settings import access, certificates
from kineseg_service.api.answering import Answering
from kineseg_service.api.codes import CODE_NAMES
from kineseg_service.api.convert import event_bytes
from kineseg_service.api.door import Door
from kineseg_service.api.ports import SERVICE, add_port, grpc_server, most_calls
from kineseg_service.api.rooms import TenantRooms
from kineseg_service.config import Settings
from kineseg_service.errors import ServerFailed
from kineseg_service.exemplars import WithExemplars
from kineseg_service.exporter import Exporter
from kineseg_service.facts import ServerFacts
from kineseg_service.heap import keep_heap_small, share_heap
from kineseg_service.loading import Loaded, load, log_ready
from kineseg_service.logs import configure_logs_once, get_logger
from kineseg_service.metrics import Metrics
from kineseg_service.names.by_segment import teach_segment
from kineseg_service.processes.place import Place
from kineseg_service.pulse import Pulse
from kineseg_service.scheduler.engine import Engine
from kineseg_service.server.company import Alone, Answers, OneOfSeveral
from kineseg_service.server.opened import opened_store, opened_traces
from kineseg_service.signals import end_signals
from kineseg_service.stores.writer import StoreWriter
from kineseg_service.streams.event_log import EventLog
from kineseg_service.streams.keeping import Keeping
from kineseg_service.streams.onlooker import Onlooker, Page, ShownEngine
from kineseg_service.streams.tenants import EventLogs, TenantStreams

_log = get_logger(__name__)
# Python's own is 5 ms: while both threads are busy, each waits that long for the other, several times with every chunk.
_TURN_WITH_LOCK_S = 0.0005
# Calls that end by themselves get a moment to say so; the others have had their time.
_CALLS_END_S = 1.0


@dataclass(frozen=True, slots=True)
class _Lock:
    """What is before all ports.

    Attributes:
        access: Who may do what.
        certificates: None: connections are not encrypted.
    """

    access: Access
    certificates: Certificates | None


class Server:
    """A server in the running event loop.

    Args:
        settings: How it runs.
        place: Which of several processes it is; none: the only one.
        page: What its streams are shown on; none: nothing.

    Attributes:
        port: The gRPC port, once it has been started.
        metrics_port: The Prometheus port, once it has been started; none when that is off.
        served: It serves, or has done so.
    """

    def __init__(self, settings: Settings | None = None, place: Place | None = None, page: Page | None = None) -> None:
        self.settings = settings or Settings()
        if place is None and self.settings.processes > 1:
            raise ValueError(
                f"processes is {self.settings.processes}, and this server runs within one: leave it at 1, or use "
                "`kineseg serve`"
            )
        configure_logs_once(self.settings.log_level, self.settings.log_format)
        self.port = 0
        self.metrics_port: int | None = None
        self.served = asyncio.Event()
        self._page = page
        self._onlooker = None if page is None else Onlooker(page)
        self._metrics = Metrics(CODE_NAMES)
        self._pulse = Pulse()
        self._health = health_aio.HealthServicer()
        self._logs = EventLogs(
            lambda: EventLog(
                event_bytes, self.settings.event_log_s, self.settings.event_log_bytes, self._metrics.trimmed
            )
        )
        self._answers = Answers(self._logs, self._metrics, self.settings, Limits(self.settings, self._metrics))
        self._company = Alone() if place is None else OneOfSeveral(place)
        self._servicer = self._company.servicer(self._answers)
        self._streams: TenantStreams | None = None
        self._ends = AsyncExitStack()  # what is to be done when it stops
        self._grace_s = 0.0  # and how long what goes on may take then
        self._changes = asyncio.Lock()  # it starts, or stops
        self._ending: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()
        self._failed = asyncio.Event()

    @property
    def address(self) -> str:
        """Where clients reach it, HOST:PORT."""
        host = self.settings.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def open_streams(self) -> int:
        """How many there are, those included that wait to be resumed."""
        return 0 if self._streams is None else len(self._streams)

    async def start(self) -> None:
        """Opens the ports, loads and warms the models, and serves.

        Calls that come before the models are ready are refused as UNAVAILABLE; where there are several processes, their
        port is opened when all have loaded.

        Raises:
            BadBundle: A model does not verify.
            BadBank: The name bank cannot be used.
            BadRules: The rules file cannot be used.
            BadTokens, BadCertificate: The door cannot be locked with what the settings name.
            CannotStart: A port is taken, or CUDA was asked for and does not work.
            ValueError: There is no model, or no such default model.
        """
        try:
            async with self._changes, AsyncExitStack() as ends:
                await self._start(ends)
                self._ends = ends.pop_all()
        except BaseException:
            await self.stop(0)
            raise

    async def stop(self, grace_s: float | None = None) -> None:
        """Refuses new streams, ends the open ones with their summaries, and closes; `grace_s` none: as configured.

        Once it is stopping, asking again only waits for the end.
        """
        await asyncio.shield(self._begin_to_stop(self.settings.drain_grace_s if grace_s is None else grace_s))

    async def wait(self) -> None:
        """Returns when the server has stopped."""
        await self._stopped.wait()

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains and stops. To be called in the main thread.

        Raises:
            ServerFailed: It could not go on.
        """
        share_heap()
        with end_signals() as asked:
            waiting = asyncio.create_task(asked.wait())
            stopped = asyncio.create_task(self.wait())
            with collected_seldom():
                starting = asyncio.create_task(self.start())
                await asyncio.wait((starting, waiting), return_when=asyncio.FIRST_COMPLETED)
                await starting
            await asyncio.wait((waiting, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not stopped.done():
                await self.stop()
            waiting.cancel()
            await stopped
        if self._failed.is_set():
            raise ServerFailed("the server has failed and ended; the log says how")

    # What a server is started from, in order; `ends` undoes it in the other order.

    async def _start(self, ends: AsyncExitStack) -> None:
        self._pulse.start()
        ends.callback(self._pulse.stop)
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        lock = _Lock(access(self.settings), certificates(self.settings))
        port = None if self._company.shares_port else await self._listen(lock, ends)
        self._export_metrics(lock, ends)
        rooms = await self._rooms(ends)
        self._servicer.serve(rooms)
        if self._page is not None and self.settings.label_bank is not None:
            self._page.teach = partial(_teach, self._page, rooms)
        await self._say(health_pb2.HealthCheckResponse.SERVING)
        await self._company.join(ends, self._answers, rooms)
        port = port or await self._listen(lock, ends)
        ends.push_async_callback(self._drain, rooms.streams, port)
        self._company.serving()
        if not self._company.shares_port:
            _log.info("serving", address=self.address, metrics_port=self.metrics_port, models=list(rooms.decoders))
        ends.callback(asyncio.create_task(keep_heap_small()).cancel)
        self._pulse.serves = True
        self.served.set()

    async def _listen(self, lock: _Lock, ends: AsyncExitStack) -> grpc.aio.Server:
        door = Door(lock.access, self._metrics, most_calls(self.settings), traced=bool(self.settings.traces))
        interceptors = [door, Answering(self._metrics)]
        port = grpc_server(self._servicer, self._health, self.settings, interceptors, shared=self._company.shares_port)
        self.port = self.settings.port
        try:
            self.port = add_port(port, self.address, lock.certificates)
        except RuntimeError as error:
            raise CannotStart(
                f"cannot listen on {self.address}: is the port taken? is the address this machine's? ({error})"
            ) from error
        await port.start()
        ends.push_async_callback(port.stop, 0)  # for a start that fails; else `_drain` has stopped it
        ends.callback(asyncio.create_task(door.watch()).cancel)
        return port

    def _export_metrics(self, lock: _Lock, ends: AsyncExitStack) -> None:
        if self.settings.metrics_port is None:
            return
        self._metrics.registry.register(ServerFacts(lock.certificates))
        exporter = Exporter(
            self.settings.host,
            self.settings.metrics_port,
            WithExemplars(self._metrics.registry, self._metrics.exemplars),
            lock.access,
            lock.certificates,
            self._metrics.refused,
            self._pulse,
        )
        ends.push_async_callback(asyncio.to_thread, exporter.close)
        self.metrics_port = exporter.port

    async def _rooms(self, ends: AsyncExitStack) -> TenantRooms:
        """All that streams need."""
        settings = self.settings
        kept = await asyncio.to_thread(opened_store, settings)
        in_loop = partial(_in_loop, asyncio.get_running_loop())
        if kept is not None:
            writer = StoreWriter(kept[0], self._metrics.store_works, in_loop)
            ends.push_async_callback(self._stop_writing, writer)
        traces = await asyncio.to_thread(opened_traces, settings)
        if traces is not None:
            ends.push_async_callback(asyncio.to_thread, traces.close)
        loaded = await asyncio.to_thread(load, settings, self._company.bank())
        engine = self._engine(loaded)
        claims = self._company.claims()
        self._streams = TenantStreams(engine, self._logs, self._metrics, settings, claims, self._onlooker, traces)
        sys.setswitchinterval(_TURN_WITH_LOCK_S)
        engine.start(self._streams.from_engine, partial(in_loop, self._fail))
        ends.push_async_callback(asyncio.to_thread, engine.stop)
        for decoder in loaded.decoders.values():
            # In the thread that will step them, as they ask.
            await asyncio.wrap_future(engine.call(decoder.warm_up))
        generic = ScratchDecoders(
            slots=settings.max_sessions,
            max_batch=settings.max_batch,
            threads=settings.intra_op_threads,
            made=log_ready,
        )
        keeping = None
        if kept is not None:
            keeping = Keeping(writer, loaded.opener, kept[1], settings.store_interval_s, settings.resume_s)
            ends.callback(asyncio.create_task(keeping.watch_store()).cancel)
        return TenantRooms(loaded.decoders, loaded.opener, self._streams, generic, loaded.names, keeping)

    def _engine(self, loaded: Loaded) -> Engine:
        how = loaded.decoders, loaded.network, self._metrics, self.settings.queue_responses, self.settings.tick_s
        return Engine(*how) if self._onlooker is None else ShownEngine(self._onlooker, *how)

    # How it stops.

    def _fail(self) -> None:
        """The engine has failed, and its streams with it: ends the server as a whole, so that it is started anew."""
        self._failed.set()
        self._begin_to_stop(self.settings.drain_grace_s)

    def _begin_to_stop(self, grace_s: float) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._stop(grace_s))
        return self._ending

    async def _stop(self, grace_s: float) -> None:
        try:
            async with self._changes:
                self._grace_s = grace_s
                self._pulse.serves = False
                self._servicer.refuse()
                await self._health.enter_graceful_shutdown()
                await self._ends.aclose()
        finally:
            self._stopped.set()
        _log.info("stopped")

    async def _drain(self, streams: TenantStreams, port: grpc.aio.Server) -> None:
        _log.info("draining", streams=len(streams), grace_s=self._grace_s)
        await streams.drain(self._grace_s)
        self._logs.close()
        await port.stop(min(self._grace_s, _CALLS_END_S))

    async def _stop_writing(self, writer: StoreWriter) -> None:
        await asyncio.to_thread(writer.stop, self._grace_s)

    async def _say(self, status: health_pb2.HealthCheckResponse.ServingStatus.ValueType) -> None:
        """What those hear who ask whether it is well."""
        await self._health.set("", status)
        await self._health.set(SERVICE, status)


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """What another thread wants done in the loop's."""
    with contextlib.suppress(RuntimeError):  # the loop has been closed: the server has ended already
        loop.call_soon_threadsafe(call)


async def _teach(page: Page, rooms: TenantRooms, stream: str, segment_id: int, name: str) -> None:
    """Teaches a name by a segment that a page shows; raises `RequestError` if that cannot be done."""
    feed = page.get(stream)
    if feed is None:
        raise RequestError("there is no such stream")
    of = rooms.of(feed.info.tenant)
    try:
        await teach_segment(of.streams, of.names, stream, segment_id, name, "named on the page")
    except CoreError as error:
        raise RequestError(error.message) from error
