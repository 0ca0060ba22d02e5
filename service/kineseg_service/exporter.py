"""The Prometheus port. It has the door of the gRPC port: its certificates, and tokens where those are asked.

Health is there, too, for those who do not speak gRPC, or not by TLS.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from kineseg_core.errors import CannotStart, CoreError
from prometheus_client import Metric, make_wsgi_app
from prometheus_client.registry import Collector

from kineseg_service.access.access import Access
from kineseg_service.access.caller import DEFAULT_TENANT
from kineseg_service.access.certificates import Certificates
from kineseg_service.access.rules import METRICS
from kineseg_service.errors import NotAuthenticated
from kineseg_service.logs import get_logger, harmless
from kineseg_service.pulse import Pulse

_log = get_logger(__name__)
# What orchestrators ask, who have no token: whether it takes streams, and whether it is to be started anew.
_HEALTH: dict[str, Callable[[Pulse], bool]] = {
    "/readyz": lambda pulse: pulse.is_ready,
    "/livez": lambda pulse: pulse.is_alive,
}
_METRICS = "/metrics"
_METHODS = ("GET", "HEAD")
_TEXT = [("Content-Type", "text/plain; charset=utf-8")]
_Answer = tuple[str, list[tuple[str, str]], bytes]  # status, headers, body
# A client that does not say what it wants within this time is sent away.
_PATIENCE_S = 10.0
# So many may be asking at once.
_MOST_CALLS = 128


class Exporter:
    """Serves metrics until it is closed, in threads of its own.

    Args:
        host: Address to listen on.
        port: 0: any free one.
        registry: What is served.
        access: Who may read it.
        certificates: For TLS; none: without.
        refused: Is called with the reason of each refusal.
        pulse: Of the process; anyone may ask for it, see `_HEALTH`.

    Attributes:
        port: Where it listens.

    Raises:
        CannotStart: The port is taken.
    """

    def __init__(
        self,
        host: str,
        port: int,
        registry: Collector,
        access: Access,
        certificates: Certificates | None,
        refused: Callable[[str], object],
        pulse: Pulse,
    ) -> None:
        self._registry = registry
        self._access = access
        self._refused = refused
        self._pulse = pulse
        try:
            self._server = _Server((host, port), certificates)
        except OSError as error:
            raise CannotStart(f"cannot listen on metrics_port {port}: is it taken? ({error})") from error
        self._server.set_app(self._answer)
        self.port = int(self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, name="kineseg-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path, method = str(environ.get("PATH_INFO", "")), str(environ.get("REQUEST_METHOD", ""))
        status, headers, body = self._answer_to(path, method, environ)
        # Said by itself: of an answer to HEAD it is the length of what is left out.
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [] if method == "HEAD" else [body]

    def _answer_to(self, path: str, method: str, environ: dict[str, Any]) -> _Answer:
        if path not in (_METRICS, *_HEALTH):
            return "404 Not Found", _TEXT, f"there is {', '.join((_METRICS, *_HEALTH))}\n".encode()
        if method not in _METHODS:
            allowed = ", ".join(_METHODS)
            return "405 Method Not Allowed", [*_TEXT, ("Allow", allowed)], f"{path} takes {allowed}\n".encode()
        if (probe := _HEALTH.get(path)) is not None:
            is_well = probe(self._pulse)
            status, said = ("200 OK", b"yes\n") if is_well else ("503 Service Unavailable", b"no\n")
            return status, [*_TEXT, ("Cache-Control", "no-store")], said
        return self._metrics(environ)

    def _metrics(self, environ: dict[str, Any]) -> _Answer:
        address = str(environ.get("REMOTE_ADDR", ""))
        self._access.look()  # where there are several processes, no one else here does
        try:
            caller = self._access.caller(environ.get("HTTP_AUTHORIZATION"), METRICS, address)
        except CoreError as error:
            _log.warning("refused", method="metrics", peer=address, reason=error.reason)
            with harmless("metrics"):
                self._refused(error.reason)
            status = "401 Unauthorized" if isinstance(error, NotAuthenticated) else "403 Forbidden"
            return status, [*_TEXT, ("WWW-Authenticate", "Bearer")], f"{error.message}\n".encode()
        registry: Any = self._registry if caller.tenant == DEFAULT_TENANT else _OfTenant(self._registry, caller.tenant)
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(
            make_wsgi_app(registry)({**environ, "REQUEST_METHOD": "GET"}, lambda *given: begun.append(given))
        )
        return *begun[0], body


class _OfTenant(Collector):
    """What is labelled with a tenant, and nothing else."""

    def __init__(self, registry: Collector, tenant: str) -> None:
        self._registry = registry
        self._tenant = tenant

    def collect(self) -> Iterator[Metric]:
        """The families that have samples of it."""
        for family in self._registry.collect():
            samples = [sample for sample in family.samples if sample.labels.get("tenant") == self._tenant]
            if samples:
                own = Metric(family.name, family.documentation, family.type, family.unit)
                own.samples = samples
                yield own

    def restricted_registry(self, names: Iterable[str]) -> Collector:
        """All of it, whatever names are asked for."""
        return self


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """Answers each call in a thread, a few at a time, and shakes hands there."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], certificates: Certificates | None) -> None:
        self._certificates = certificates
        self._calls = threading.BoundedSemaphore(_MOST_CALLS)
        self.address_family = socket.getaddrinfo(address[0], address[1], type=socket.SOCK_STREAM)[0][0]
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Binds, without asking for the name of the host, which may take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Starts a thread, or hangs up where too many are waiting for their clients."""
        if not self._calls.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._calls.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers one call."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._calls.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shakes hands, if it is to be TLS, and answers."""
        request.settimeout(_PATIENCE_S)
        if self._certificates is None:
            super().finish_request(request, client_address)
            return
        with self._certificates.context().wrap_socket(request, server_side=True, do_handshake_on_connect=False) as safe:
            safe.do_handshake()
            super().finish_request(safe, client_address)
            with contextlib.suppress(OSError):
                safe.unwrap()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One that hangs up, or does not speak TLS, is no one's business."""


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
        """Says nothing of every scrape."""

    def address_string(self) -> str:
        """The address, without asking for its name."""
        return str(self.client_address[0])
