"""A network between a client and a server that fails as networks do: it cuts, delays, swallows, and loses one half."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Passes TCP connections on; entered with `with`.

    Args:
        target: HOST:PORT of the server.

    Attributes:
        address: Where clients connect.
        delay_s: Whatever passes is held back for so long.
        lost: Nothing passes, and connections stay.
        refuses: New connections are closed at once.
        connections: How many there have been.
        ended: How many of them have ended at the client.
        passed: How many bytes have come from clients.
        on_bytes: Is called with `passed` before bytes of a client are passed on.
    """

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.delay_s = 0.0
        self.lost = False
        self.refuses = False
        self.connections = 0
        self.ended = 0
        self._stranded = 0  # up to which nothing passes any more
        self.passed = 0
        self.on_bytes: Callable[[int], None] = lambda passed: None
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # who waits for a connection hears of it
        self._listener.close()
        self._accepting.join()
        self.cut()

    def retarget(self, target: str) -> None:
        """New connections go to another server."""
        host, port = target.rsplit(":", 1)
        self._target = host, int(port)

    def cut(self) -> None:
        """Ends all connections as if the network had gone: both ends get a reset."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def halve(self) -> None:
        """Ends all connections for the client alone: the server goes on believing in them."""
        with self._lock:
            pairs = list(self._pairs)
        for client, _ in pairs:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def strand(self) -> None:
        """Nothing passes on the connections that there are, and no one hears of it; others are as ever."""
        self._stranded = self.connections

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """No network for so long."""
        self.refuses = True
        self.cut()
        try:
            yield
        finally:
            self.refuses = False

    @contextlib.contextmanager
    def swallowing(self) -> Iterator[None]:
        """Nothing passes for so long, and no one hears of it."""
        self.lost = True
        try:
            yield
        finally:
            self.lost = False

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                if self.refuses:
                    raise ConnectionRefusedError
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.add((client, server))
            number = self.connections
            threading.Thread(target=self._pump, args=(number, client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(number, server, client, False), daemon=True).start()

    def _pump(self, number: int, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        dead = False
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            if from_client:
                self.passed += len(data)
                self.on_bytes(self.passed)
            time.sleep(self.delay_s)
            try:
                if not (self.lost or dead or number <= self._stranded):
                    sink.sendall(data)
                    continue
            except OSError:
                pass
            dead = True  # this end goes on talking to no one: no byte after a lost one ever arrives
        if from_client:
            self.ended += 1
            return  # what a client loses its server learns from others, or not at all
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
