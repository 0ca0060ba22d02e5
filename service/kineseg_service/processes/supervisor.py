"""Starts a server's processes, opens their port once all have loaded, starts those anew that die, and ends them all.

It serves nothing but the metrics, which are sums over all processes, those included that have ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections import deque
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import prometheus_client
from kineseg_core.errors import CannotStart
from kineseg_core.stream_ids import time_ordered_uuid
from prometheus_client import multiprocess

from kineseg_service.access.of_settings import access, certificates
from kineseg_service.config import Settings
from kineseg_service.errors import ServerFailed
from kineseg_service.exemplars import WithExemplars, forget_process
from kineseg_service.exporter import Exporter
from kineseg_service.facts import ServerFacts
from kineseg_service.logs import configure_logs_once, get_logger
from kineseg_service.processes.child import Child
from kineseg_service.processes.claims import free_all
from kineseg_service.processes.place import claims_folder, metrics_folder, socket_of, uses_folder
from kineseg_service.processes.port import reserved
from kineseg_service.pulse import Pulse
from kineseg_service.signals import end_signals

if TYPE_CHECKING:
    from kineseg.page import Hub

_log = get_logger(__name__)
# A Unix socket's address is no longer than this on any system that has them.
_LONGEST_SOCKET = 100
# Processes that die more often than this are not worth starting: something is wrong with the server.
_MOST_DEATHS, _WITHIN_S = 5, 60.0
# What a process may take to end, beyond what its streams may.
_ENDING_S = 15.0


class Supervisor:
    """A server in `settings.processes` processes.

    Args:
        settings: How it runs; ports are those of all processes together.
        page: What streams of all processes are shown on; none: nothing.

    Attributes:
        port: The gRPC port, while it runs.
        metrics_port: The Prometheus port; none when that is off.
    """

    def __init__(self, settings: Settings, page: Hub | None = None) -> None:
        self._settings = settings
        self._page = page
        configure_logs_once(settings.log_level, settings.log_format)
        self.port = 0
        self.metrics_port: int | None = None
        self._pulse = Pulse()
        self._children: list[Child] = []
        self._deaths: deque[float] = deque(maxlen=_MOST_DEATHS)

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains and ends all processes. To be called in the main thread.

        Raises:
            CannotStart: A port is taken, this system cannot share ports, or a process cannot start.
            ServerFailed: Processes died too often.
        """
        async with contextlib.AsyncExitStack() as stack:
            asked = stack.enter_context(end_signals())
            port = stack.enter_context(reserved(self._settings.host, self._settings.port))
            shared = tempfile.TemporaryDirectory(prefix="kineseg-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(shared))
            self._furnish(folder)
            self._pulse.start()
            stack.callback(self._pulse.stop)
            self._export_metrics(stack, folder)
            if self._page is not None:
                from kineseg_service.processes.page_gatherer import PageGatherer  # a page needs more than the rest

                gatherer = PageGatherer(self._page, teaches=self._settings.label_bank is not None)
                await stack.enter_async_context(gatherer.listening(folder))
            self.port = port.getsockname()[1]
            settings = self._settings.model_copy(
                update={
                    "port": self.port,
                    "metrics_port": None,
                    "server_id": self._settings.server_id or str(time_ordered_uuid(time.time_ns())),
                }
            )
            self._children = [
                Child(index, settings, folder, page=self._page is not None) for index in range(settings.processes)
            ]
            serving = asyncio.create_task(self._serve(folder))
            waiting = asyncio.create_task(asked.wait())
            try:
                await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
                if serving.done():
                    serving.result()
            finally:
                waiting.cancel()
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)
                await self._end_all()
            _log.info("stopped")

    async def _serve(self, folder: Path) -> None:
        """Starts all processes, and starts anew those that die, until they die too often."""
        await _together(_started(child) for child in self._children)
        for child in self._children:
            await child.open()
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        _log.info(
            "serving", address=f"{host}:{self.port}", metrics_port=self.metrics_port, processes=len(self._children)
        )
        self._pulse.serves = True
        await _together(self._keep(child, folder) for child in self._children)

    async def _keep(self, child: Child, folder: Path) -> None:
        while True:
            pid = child.pid
            status = await child.ended()
            _log.error(
                "a process has died, and its streams with it; it is started anew",
                process=child.index, pid=pid, status=status,
            )  # fmt: skip
            multiprocess.mark_process_dead(pid, str(metrics_folder(folder)))  # type: ignore[no-untyped-call]
            forget_process(metrics_folder(folder), pid)
            free_all(claims_folder(folder), child.index)
            self._deaths.append(time.monotonic())
            if len(self._deaths) == _MOST_DEATHS and time.monotonic() - self._deaths[0] < _WITHIN_S:
                raise ServerFailed(
                    f"{_MOST_DEATHS} processes have died within {_WITHIN_S:g} s, so that the server has ended; the log "
                    "says how"
                )
            await _started(child)
            await child.open()
            _log.info("a process serves again", process=child.index, pid=child.pid)

    async def _end_all(self) -> None:
        """Drains and ends all processes."""
        self._pulse.serves = False
        for child in self._children:
            child.end()
        ends = [asyncio.create_task(child.ended()) for child in self._children if child.started]
        if ends:
            _, late = await asyncio.wait(ends, timeout=self._settings.drain_grace_s + _ENDING_S)
            if late:
                _log.error("processes have not ended in time, and are killed", processes=len(late))
                for child in self._children:
                    child.kill()
                await asyncio.wait(late)

    def _furnish(self, folder: Path) -> None:
        """Makes what the processes share."""
        if len(socket_of(folder, self._settings.processes)) > _LONGEST_SOCKET:
            raise CannotStart(f"the path of {folder} is too long for a socket: set TMPDIR to a shorter one")
        claims_folder(folder).mkdir()
        uses_folder(folder).mkdir()
        metrics_folder(folder).mkdir()

    def _export_metrics(self, stack: contextlib.AsyncExitStack, folder: Path) -> None:
        port = self._settings.metrics_port
        if port is None:
            return
        registry = prometheus_client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, str(metrics_folder(folder)))  # type: ignore[no-untyped-call]
        door = certificates(self._settings)
        registry.register(ServerFacts(door))
        served = WithExemplars(registry, metrics_folder(folder))
        exporter = Exporter(
            self._settings.host, port, served, access(self._settings), door, lambda _: None, self._pulse
        )
        self.metrics_port = exporter.port
        stack.callback(exporter.close)


async def _started(child: Child) -> None:
    await child.start()
    await child.loaded()


async def _together(parts: Iterable[Coroutine[None, None, None]]) -> None:
    """Runs all of them; the first error ends the others, and is raised as it is."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
