"""A server in a thread of its own, for use within one process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any, Self

from kineseg_service.config import Settings
from kineseg_service.server.server import Server


class BackgroundServer:
    """A server in a thread of its own, for use within one process: `with BackgroundServer() as server: ...`.

    Listens on loopback at any free port unless the settings say otherwise.

    Args:
        settings: How it runs.

    Attributes:
        address: Where clients reach it, HOST:PORT.
        port: The gRPC port.
        metrics_port: The Prometheus port; none when that is off.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings(port=0, metrics_port=None)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="kineseg-server", daemon=True)
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = asyncio.Event()
        self._grace_s: float | None = None
        self.address = ""
        self.port = 0
        self.metrics_port: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """It has been started and has not ended, by itself or otherwise."""
        return self._thread.is_alive()

    @property
    def open_streams(self) -> int:
        """See `Server.open_streams`."""
        return 0 if self._server is None else self._server.open_streams

    def start(self) -> None:
        """Starts; returns when it serves. Raises what `Server.start` raises."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self, grace_s: float | None = None) -> None:
        """Drains and stops, if it has not ended by itself; `grace_s` none: as configured."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed: it has ended
                self._loop.call_soon_threadsafe(self._ask, grace_s)
        # What was asked of a loop that is just ending is not heard, and need not be.
        self._thread.join()

    def _ask(self, grace_s: float | None) -> None:
        self._grace_s = grace_s
        self._asked.set()

    async def _main(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
            self._loop.set_exception_handler(_of_this_loop)
            self._server = server = Server(self._settings)
            await server.start()
            self.address, self.port = server.address, server.port
            self.metrics_port = server.metrics_port
        except BaseException as error:
            self._error = error
            return
        finally:
            self._started.set()
        ended = asyncio.create_task(server.wait())
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait((ended, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        await server.stop(self._grace_s)
        await ended


def _of_this_loop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Says what has failed in a loop, unless it is that another one is closed: all loops of a process share what gRPC
    has for them, and whichever looks first passes it on, also to one that has ended meanwhile and needs it no more."""
    is_grpcs = "PollerCompletionQueue" in str(context.get("handle"))
    if not (is_grpcs and str(context.get("exception")) == "Event loop is closed"):
        loop.default_exception_handler(context)
