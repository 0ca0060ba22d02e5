"""A real HTTP server that keeps what is posted to it, and answers as a test wants; stopped and started at one port."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from evaluation.ports import free_port


@dataclass
class Post:
    """What was posted."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpReceiver:
    """A server in a thread of its own.

    Attributes:
        posts: What was posted and taken.
        answers: The next answers, before all others, which are 204.
        asked: How often anything was posted.
        tls: With which it is reached; None: without.
    """

    posts: list[Post] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    asked: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None
        self.port = free_port()
        self.address = f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._do(self._start())

    def stop(self) -> None:
        """Requests under way are cut off."""
        self._do(self._stop())

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True, ssl_context=self.tls).start()

    async def _stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.asked += 1
        if self.answers:
            return self.answers.pop(0)
        self.posts.append(Post(request.path_qs, dict(request.headers), body))
        return web.Response(status=204)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
