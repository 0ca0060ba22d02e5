"""The server of the page: a few files, and one WebSocket for each browser. Needs ``kineseg[page]``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from types import TracebackType
from typing import Any, Self

from aiohttp import WSCloseCode, WSMsgType, web

from kineseg import __version__
from kineseg._errors import KinesegError
from kineseg.page.access import Access, Guest
from kineseg.page.document import static_file
from kineseg.page.hub import Hub
from kineseg.page.viewer import Viewer

_LEAST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.5
_LAST_WORDS_S = 5.0
_LOOK_AGAIN_S = 5.0  # whether a token still lets its browser in
_MOST_REQUEST_BYTES = 16 << 10
_TYPES = {"js": "text/javascript", "css": "text/css"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class PageServer:
    """Serves a hub's page, in the running event loop.

    Args:
        hub: What it shows.
        host: Address to listen on.
        port: 0: any free one.
        tokens: See `Access`.
        origins: See `Access`.
        known: See `Access`.
        tls: What it proves itself with; none: it speaks plain HTTP.
        most_viewers: So many browsers may look at once.

    Attributes:
        port: Where it listens, once it has been started.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tokens: Mapping[str, str | None],
        origins: Iterable[str] = (),
        known: Callable[[str], Guest | None] | None = None,
        tls: ssl.SSLContext | None = None,
        most_viewers: int = 64,
    ) -> None:
        self.port = port
        self._hub = hub
        self._host = host
        self._tokens = tuple(tokens)
        self._access = Access(tokens, origins, known)
        self._tls = tls
        self._most_viewers = most_viewers
        self._viewers: set[_Conversation] = set()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where a browser finds it; whoever has this may see it."""
        return f"{self._place}?token={self._tokens[0]}"

    def url_once(self) -> str:
        """The same, for one browser within a minute."""
        return f"{self._place}?ticket={self._access.ticket()}"

    @property
    def _place(self) -> str:
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)
        shown = f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown
        return f"http{'s' if self._tls else ''}://{shown}:{self.port}/"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begins to listen.

        Raises:
            OSError: It cannot listen there.
        """
        app = web.Application(client_max_size=_MOST_REQUEST_BYTES)
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/alive", self._alive),
                web.get("/live", self._live),
                web.get("/static/{name}", self._static),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, self._host, self.port, ssl_context=self._tls)
            await site.start()
        except BaseException:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Closes all connections, once browsers have what there is; they try again until there is a server."""
        await asyncio.gather(*(conversation.end() for conversation in self._viewers))
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def _cookie(self) -> str:
        # Cookies of all ports of a host are one; several pages may run on it.
        return f"kineseg_page_{self.port}"

    def _token_of(self, request: web.Request) -> str:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return given.strip() if scheme.lower() == "bearer" else request.cookies.get(self._cookie, "")

    def _guest(self, request: web.Request) -> Guest | None:
        return self._access.guest(self._token_of(request))

    async def _index(self, request: web.Request) -> web.Response:
        token = request.query.get("token")
        if self._access.redeems(request.query.get("ticket", "")):
            token = self._tokens[0]
        if token is not None:
            if self._access.guest(token) is None:
                return _denied("This token is not, or no longer, the right one.")
            # The token does not stay in the address, which gets into histories and screenshots.
            response = web.Response(status=303, headers={**_HEADERS, "Location": "./"})
            response.set_cookie(
                self._cookie, token, httponly=True, samesite="Strict", secure=self._tls is not None, path="/"
            )
            return response
        if self._guest(request) is None:
            return _denied("This page needs its token: open the address that the command printed.")
        return web.Response(text=static_file("index.html"), content_type="text/html", headers=_HEADERS)

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(status=401 if self._guest(request) is None else 204, headers=_HEADERS)

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        kind = _TYPES.get(name.rpartition(".")[2])
        if kind is None or not name.replace(".", "").replace("-", "").isalnum():
            raise web.HTTPNotFound
        try:
            text = static_file(name)
        except OSError:
            raise web.HTTPNotFound from None
        return web.Response(text=text, content_type=kind, headers=_HEADERS)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        token = self._token_of(request)
        guest = self._access.guest(token)
        if guest is None:
            return web.Response(status=401, text="a token is needed", headers=_HEADERS)
        if not self._access.allows_origin(request.headers.get("Origin"), request.host):
            return web.Response(status=403, text="pages of other origins may not connect", headers=_HEADERS)
        if len(self._viewers) >= self._most_viewers:
            return web.Response(status=503, text="too many browsers look at this page", headers=_HEADERS)
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_MOST_REQUEST_BYTES, compress=False)
        await socket.prepare(request)
        conversation = _Conversation(socket, self._hub, guest, lambda: self._access.guest(token) == guest)
        self._viewers.add(conversation)
        try:
            await conversation.run()
        finally:
            self._viewers.discard(conversation)
        return socket


class _Conversation:
    """What is said to one browser, and what it says."""

    def __init__(self, socket: web.WebSocketResponse, hub: Hub, guest: Guest, still_let_in: Callable[[], bool]) -> None:
        self._socket = socket
        self._hub = hub
        self._viewer = Viewer(hub, guest.tenant)
        self._may_name = guest.may_name
        self._still_let_in = still_let_in
        self._news = asyncio.Event()
        self._answers: list[dict[str, Any]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer: asyncio.Task[None] | None = None

    async def end(self) -> None:
        """Says what is left to say, as far as it is taken, and closes."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        batch = self._viewer.batch()
        with contextlib.suppress(TimeoutError, ConnectionError, RuntimeError):
            async with asyncio.timeout(_LAST_WORDS_S):
                if batch is not None:
                    await self._send(batch)
                await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the page's server ends")

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        woken = threading.Event()  # so that a thousand frames a second wake the loop but once

        def changed() -> None:
            if not woken.is_set():
                woken.set()
                with contextlib.suppress(RuntimeError):  # the loop has been closed
                    loop.call_soon_threadsafe(self._news.set)

        leave = self._hub.watch(changed)
        writer = self._writer = asyncio.create_task(self._write(woken.clear))
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._heard(message.data)
        finally:
            leave()
            writer.cancel()
            for task in self._tasks:
                task.cancel()

    async def _write(self, looking: Callable[[], None]) -> None:
        can_name = self._may_name and self._hub.teach is not None
        hello = {"type": "hello", "version": 1, "kineseg": __version__, "can_name": can_name}
        looked_at = monotonic()
        try:
            await self._send([0, [hello]])
            while True:
                looking()
                if monotonic() - looked_at > _LOOK_AGAIN_S:
                    looked_at = monotonic()
                    if not self._still_let_in():
                        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"the token is revoked")
                        return
                self._news.clear()
                batch = self._viewer.batch()
                answers, self._answers = self._answers, []
                if answers:
                    batch = [batch[0] if batch else 0, [*answers, *(batch[1] if batch else ())]]
                if batch is not None:
                    # Waits while the browser takes nothing; meanwhile nothing gathers for it.
                    await self._send(batch)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LONGEST_PAUSE_S):
                        await self._news.wait()
                await asyncio.sleep(_LEAST_PAUSE_S)
        except (ConnectionError, RuntimeError):  # the browser has gone; the reader notices, too
            await self._socket.close()

    async def _send(self, batch: list[Any]) -> None:
        await self._socket.send_str(json.dumps(batch, separators=(",", ":"), allow_nan=False))

    def _heard(self, text: str) -> None:
        """Takes one message; what makes no sense is passed over."""
        try:
            message = json.loads(text)
            kind = message["type"]
            if kind == "got":
                self._viewer.has_read(int(message["number"]))
            elif kind == "select":
                self._viewer.select(str(message["stream"]))
            elif kind == "name":
                wanted = str(message["stream"]), int(message["segment_id"]), str(message["name"]).strip()
                task = asyncio.create_task(self._name(int(message["id"]), *wanted))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (ValueError, TypeError, KeyError):
            return
        self._news.set()

    async def _name(self, number: int, stream: str, segment_id: int, name: str) -> None:
        answer: dict[str, Any] = {"type": "answer", "id": number, "stream": stream, "segment_id": segment_id}
        feed = self._hub.get(stream, self._viewer.tenant)
        try:
            if feed is None:
                answer["error"] = "there is no such stream"
            elif self._hub.teach is None or not self._may_name:
                answer["error"] = "no names can be taught here" if self._may_name else "this token may not teach names"
            else:
                await self._hub.teach(stream, segment_id, name)
                feed.named(segment_id, name)
                answer["name"] = name
        except KinesegError as error:
            answer["error"] = str(error)
        self._answers.append(answer)
        self._news.set()


def _denied(why: str) -> web.Response:
    return web.Response(
        status=401, text=static_file("denied.html").replace("<!-- why -->", why), content_type="text/html",
        headers=_HEADERS,
    )  # fmt: skip
