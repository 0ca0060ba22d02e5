"""A server in the running event loop: it opens its ports and loads before it serves, and drains before it goes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

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
from kineseg_service.api.servicer import Servicer
from kineseg_service.api.shared_servicer import SharedServicer
from kineseg_service.api.siblings import Siblings, answer_siblings
from kineseg_service.config import LimitSettings, Settings
from kineseg_service.errors import ServerFailed
from kineseg_service.exemplars import WithExemplars
from kineseg_service.exporter import Exporter
from kineseg_service.facts import ServerFacts
from kineseg_service.heap import keep_heap_small, share_heap
from kineseg_service.loading import load, log_ready
from kineseg_service.logs import configure_logs_once, get_logger
from kineseg_service.metrics import Metrics
from kineseg_service.names.by_segment import teach_segment
from kineseg_service.names.keeper import Everywhere
from kineseg_service.processes.claims import FolderClaims
from kineseg_service.processes.place import Place, claims_folder
from kineseg_service.processes.uses import SharedUses
from kineseg_service.pulse import Pulse
from kineseg_service.scheduler.engine import Engine
from kineseg_service.signals import end_signals
from kineseg_service.stores.opening import open_store, read_key
from kineseg_service.stores.store import Store, StoreFailed
from kineseg_service.stores.writer import StoreWriter
from kineseg_service.streams.claims import Claims
from kineseg_service.streams.event_log import EventLog
from kineseg_service.streams.keeping import Keeping
from kineseg_service.streams.onlooker import Onlooker, Page, ShownEngine
from kineseg_service.streams.tenants import EventLogs, TenantStreams
from kineseg_service.traces import Traces

if TYPE_CHECKING:
    from kineseg_service.stores.sealing import Seal

_log = get_logger(__name__)
# Python's own is 5 ms: while both threads are busy, each waits that long for the other, several times with every chunk.
_TURN_WITH_LOCK_S = 0.0005


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
        self._place = place
        self._page = page
        self._onlooker = None if page is None else Onlooker(page)
        configure_logs_once(self.settings.log_level, self.settings.log_format)
        self.port = 0
        self.metrics_port: int | None = None
        self._metrics = Metrics(CODE_NAMES)
        self._pulse = Pulse()
        self._logs = EventLogs(
            lambda: EventLog(
                event_bytes, self.settings.event_log_s, self.settings.event_log_bytes, self._metrics.trimmed
            )
        )
        self._health = health_aio.HealthServicer()
        self._siblings = None if place is None else Siblings(place.sockets, place.index)
        self._limits = Limits(self.settings, self._metrics)
        self._servicer = (
            Servicer(self._logs, self._metrics, self.settings, self._limits)
            if self._siblings is None
            else SharedServicer(self._logs, self._metrics, self.settings, self._limits, self._siblings)
        )
        self._for_siblings: grpc.aio.Server | None = None
        self._grpc: grpc.aio.Server | None = None
        self._store: Store | None = None
        self._writer: StoreWriter | None = None
        self._engine: Engine | None = None
        self._streams: TenantStreams | None = None
        self._exporter: Exporter | None = None
        self._traces: Traces | None = None
        self._access: Access | None = None
        self._certificates: Certificates | None = None
        self._door_watch: asyncio.Task[None] | None = None
        self._heap: asyncio.Task[None] | None = None
        self._exchange: asyncio.Task[None] | None = None
        self._store_watch: asyncio.Task[None] | None = None
        self.served = asyncio.Event()
        self._stopped = asyncio.Event()
        self._failed = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None

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
        self._pulse.start()
        await self._health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._health.set(SERVICE, health_pb2.HealthCheckResponse.NOT_SERVING)
        try:
            self._access, self._certificates = access(self.settings), certificates(self.settings)
            if self._place is None:
                await self._listen()
            self._export_metrics()
            self._store, seal = await asyncio.to_thread(_opened_store, self.settings)
            self._traces = await asyncio.to_thread(_traces, self.settings)
            loaded = await asyncio.to_thread(load, self.settings, self._bank())
        except BaseException:
            await self.stop(0)
            raise
        how = loaded.decoders, loaded.network, self._metrics, self.settings.queue_responses, self.settings.tick_s
        self._engine = Engine(*how) if self._onlooker is None else ShownEngine(self._onlooker, *how)
        self._streams = TenantStreams(
            self._engine, self._logs, self._metrics, self.settings, self._claims(), self._onlooker, self._traces
        )
        sys.setswitchinterval(_TURN_WITH_LOCK_S)
        in_loop = partial(_in_loop, asyncio.get_running_loop())
        self._engine.start(self._streams.from_engine, partial(in_loop, self._fail))
        try:
            for decoder in loaded.decoders.values():
                # In the thread that will step them, as they ask.
                await asyncio.wrap_future(self._engine.call(decoder.warm_up))
        except BaseException:
            await self.stop(0)
            raise
        generic = ScratchDecoders(
            slots=self.settings.max_sessions,
            max_batch=self.settings.max_batch,
            threads=self.settings.intra_op_threads,
            made=log_ready,
        )
        keeping = None
        if self._store is not None and seal is not None:
            self._writer = StoreWriter(self._store, self._metrics.store_works, in_loop)
            every_s, keep_s = self.settings.store_interval_s, self.settings.resume_s
            keeping = Keeping(self._writer, loaded.opener, seal, every_s, keep_s)
            self._store_watch = asyncio.create_task(keeping.watch_store())
        rooms = TenantRooms(loaded.decoders, loaded.opener, self._streams, generic, loaded.names, keeping)
        self._servicer.serve(rooms)
        if self._page is not None and self.settings.label_bank is not None:
            self._page.teach = partial(_teach, self._page, rooms)
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        await self._health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
        if self._place is None:
            _log.info("serving", address=self.address, metrics_port=self.metrics_port, models=list(loaded.decoders))
        else:
            assert self._siblings is not None
            try:
                await self._join(self._place, self._siblings, rooms)
            except BaseException:
                await self.stop(0)
                raise
        self._heap = asyncio.create_task(keep_heap_small())
        self._pulse.serves = True
        self.served.set()

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

    def _fail(self) -> None:
        """The engine has failed, and its streams with it: ends the server as a whole, so that it is started anew."""
        self._failed.set()
        self._begin_to_stop(self.settings.drain_grace_s)

    def _begin_to_stop(self, grace_s: float) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end(grace_s))
        return self._ending

    async def _end(self, grace_s: float) -> None:
        try:
            await self._stop(grace_s)
        finally:
            self._stopped.set()
        _log.info("stopped")

    async def _stop(self, grace_s: float) -> None:
        self._pulse.serves = False
        self._servicer.refuse()
        await self._health.enter_graceful_shutdown()
        if self._streams is not None:
            _log.info("draining", streams=len(self._streams), grace_s=grace_s)
            await self._streams.drain(grace_s)
        self._logs.close()
        if self._grpc is not None:
            # Calls that end by themselves get a moment to say so; the others have had their time.
            await self._grpc.stop(min(grace_s, 1.0))
        if self._for_siblings is not None:
            await self._for_siblings.stop(0)
        if self._engine is not None:
            await asyncio.to_thread(self._engine.stop)
        if self._writer is not None:
            await asyncio.to_thread(self._writer.stop, grace_s)
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)
        if self._exporter is not None:
            await asyncio.to_thread(self._exporter.close)
            self._exporter = None
        self._pulse.stop()
        for task in (self._door_watch, self._heap, self._exchange, self._store_watch):
            if task is not None:
                task.cancel()

    async def _join(self, place: Place, siblings: Siblings, rooms: TenantRooms) -> None:
        """Answers the other processes, and opens the port that it shares with them once it may."""
        # What is passed on has been counted where it came from.
        unlimited = {"limits": LimitSettings(), "peer_limits": LimitSettings(), "tenants": {}}
        passed_on = self._metrics.of_passed_on_calls()
        limits = Limits(self.settings.model_copy(update=unlimited), passed_on)
        for_itself = Servicer(self._logs, passed_on, self.settings, limits)
        for_itself.serve(rooms)
        self._for_siblings = await answer_siblings(for_itself, passed_on, rooms.names.reload, siblings)
        await rooms.names.reload()  # it may have been written while this process loaded
        await siblings.join()
        if self._limits.are_given:
            self._exchange = asyncio.create_task(SharedUses(place, self._limits).run())
        await place.loaded()
        await self._listen()
        place.serving()

    def _bank(self) -> Everywhere | None:
        if self._place is None or self._siblings is None:
            return None
        from kineseg_service.processes.bank import SharedBank  # there is no Windows for it

        return SharedBank(self._place.folder / "bank.lock", self._siblings.reload_names)

    def _claims(self) -> Claims | None:
        place = self._place
        return None if place is None else FolderClaims(claims_folder(place.folder), place.index)

    async def _listen(self) -> None:
        assert self._access is not None
        door = Door(self._access, self._metrics, most_calls(self.settings), traced=bool(self.settings.traces))
        interceptors = [door, Answering(self._metrics)]
        self._grpc = grpc_server(
            self._servicer, self._health, self.settings, interceptors, shared=self._place is not None
        )
        self.port = self.settings.port
        try:
            self.port = add_port(self._grpc, self.address, self._certificates)
        except RuntimeError as error:
            raise CannotStart(
                f"cannot listen on {self.address}: is the port taken? is the address this machine's? ({error})"
            ) from error
        await self._grpc.start()
        self._door_watch = asyncio.get_running_loop().create_task(door.watch())

    def _export_metrics(self) -> None:
        port = self.settings.metrics_port
        if port is None:
            return
        assert self._access is not None
        self._metrics.registry.register(ServerFacts(self._certificates))
        self._exporter = Exporter(
            self.settings.host,
            port,
            WithExemplars(self._metrics.registry, self._metrics.exemplars),
            self._access,
            self._certificates,
            self._metrics.refused,
            self._pulse,
        )
        self.metrics_port = self._exporter.port


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


def _opened_store(settings: Settings) -> tuple[Store | None, Seal | None]:
    """The store of streams, if there is one, and what seals them there."""
    key = read_key(settings.store_key)
    try:
        store = open_store(settings.store)
    except StoreFailed as error:
        raise CannotStart(f"store: {error}") from error
    except ModuleNotFoundError as error:
        raise CannotStart(f"store: it needs {error.name}: pip install 'kineseg[redis]'") from error
    if store is None:
        return None, None
    from kineseg_service.stores.sealing import Seal  # takes long, and is needed only here

    return store, Seal(key)


def _traces(settings: Settings) -> Traces | None:
    """Where spans go, if they are wanted."""
    return Traces(settings.traces, settings.traces_ratio, settings.server_id) if settings.traces else None
