"""Datagrams on a port."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct

from kineseg.sources.errors import SourceError
from kineseg.sources.source import Inlet

_BUFFER = 4 << 20  # bytes that the system keeps while this process is busy elsewhere


class UdpEndpoint:
    """Receives datagrams.

    Args:
        host: Address of the interface to listen on; empty: all.
        port: 0: any free one.
        group: A multicast group to join.
    """

    def __init__(self, host: str, port: int, group: str = "") -> None:
        self._host = host or "0.0.0.0"
        self._port = port
        self._group = group
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port, also where any was asked for."""
        return self._port if self._socket is None else int(self._socket.getsockname()[1])

    @property
    def where(self) -> str:
        """What it listens to."""
        every = " (every interface)" if self._host in ("0.0.0.0", "::") else ""
        group = f", multicast group {self._group}" if self._group else ""
        return f"UDP port {self.port} of {self._host}{every}{group}"

    async def open(self) -> None:
        """Bind the port.

        Raises:
            SourceError: It is taken, or there is no such interface.
        """
        try:
            [(family, *_), *_] = await asyncio.get_running_loop().getaddrinfo(
                self._host, self._port, type=socket.SOCK_DGRAM
            )
        except OSError as error:
            raise SourceError(f"there is no host {self._host!r} ({error.strerror or error})") from None
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            if self._group:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setblocking(False)
            sock.bind((self._host, self._port) if not self._group else ("", self._port))
            if self._group:
                interface = "0.0.0.0" if self._host == "0.0.0.0" else self._host
                joined = struct.pack("4s4s", socket.inet_aton(self._group), socket.inet_aton(interface))
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        except OSError as error:
            sock.close()
            raise SourceError(_why(error, self._host, self._port)) from None
        self._socket = sock

    async def run(self, inlet: Inlet[bytes]) -> None:
        """Receive for ever."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Receiver(inlet), sock=self._socket)
        try:
            await loop.create_future()
        finally:
            transport.close()

    def send(self, data: bytes, host: str, port: int) -> None:
        """Send a datagram from this port; raises OSError."""
        if self._socket is not None:
            self._socket.sendto(data, (host, port))

    async def close(self) -> None:
        """Free the port."""
        if self._socket is not None:
            self._socket.close()


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, inlet: Inlet[bytes]) -> None:
        self._inlet = inlet

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        self._inlet.take(data, len(data), f"{addr[0]}:{addr[1]}")

    def error_received(self, exc: Exception) -> None:  # an answer that a datagram of ours was not wanted
        pass


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE or getattr(error, "winerror", 0) == 10048:
        return f"UDP port {port} is taken by another program: close that one, or send to another port and name it here"
    if error.errno == errno.EADDRNOTAVAIL or getattr(error, "winerror", 0) == 10049:
        return f"this machine has no interface {host}: name one of its own addresses, or 0.0.0.0 for all"
    if error.errno == errno.EACCES:
        return f"UDP port {port} may not be used: choose one above 1023"
    return f"UDP port {port} of {host} cannot be listened on: {error.strerror or error}"
