"""What a twin sends with."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.errors import SourceError

_AGAIN_S = 1.0


class Twin(Protocol):
    """Sends frames as some capture software does."""

    @property
    def where(self) -> str:
        """Where to, for people."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def send(self, values: NDArray[np.float32], number: int, time_s: float) -> None:
        """One frame, ``(J, 3)`` or ``(C,)``, with its number and time by the sender's count and clock."""

    async def restart(self) -> None:
        """As if the software were started anew."""


class Encoder(Protocol):
    """Turns frames into datagrams."""

    def describe(self) -> list[bytes]:
        """What receivers must know beforehand; it is said again every second. Nothing where frames say it all."""

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> list[bytes]:
        """One frame."""


class MessageTwin(ABC):
    """Sends messages that each stand for themselves, and says again every second what receivers must know.

    Args:
        encoder: Makes them.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._described = -_AGAIN_S

    @abstractmethod
    async def _send(self, message: bytes) -> None: ...

    async def _describe(self, message: bytes) -> None:
        await self._send(message)

    async def send(self, values: NDArray[np.float32], number: int, time_s: float) -> None:
        """One frame."""
        now = time.monotonic()
        if now - self._described >= _AGAIN_S:
            self._described = now
            for message in self._encoder.describe():
                await self._describe(message)
        for message in self._encoder.frame(values, number, time_s):
            await self._send(message)

    async def restart(self) -> None:
        """Describes itself at once."""
        self._described = -_AGAIN_S


class UdpTwin(MessageTwin):
    """Sends datagrams.

    Args:
        host: Of the receiver.
        port: Of the receiver.
        encoder: Makes them.
    """

    def __init__(self, host: str, port: int, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._host = host if host not in ("", "0.0.0.0") else "127.0.0.1"
        self._port = port
        self._socket: socket.socket | None = None

    @property
    def where(self) -> str:
        """The receiver."""
        return f"UDP {self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        try:
            [(family, _, _, _, address), *_] = await asyncio.get_running_loop().getaddrinfo(
                self._host, self._port, type=socket.SOCK_DGRAM
            )
        except OSError as error:
            raise SourceError(f"there is no host {self._host!r} ({error.strerror or error})") from None
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._address = address
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    async def _send(self, message: bytes) -> None:
        assert self._socket is not None
        try:
            self._socket.sendto(message, self._address)
        except ConnectionError:  # no one listens yet
            pass
        except OSError as error:
            raise SourceError(f"nothing can be sent to {self.where} ({error.strerror or error})") from error


class TcpTwin(ABC):
    """Serves connections.

    Args:
        host: Interface to listen on.
        port: To listen on.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host or "127.0.0.1"
        self._port = port

    @property
    def where(self) -> str:
        """Where it listens."""
        return f"whoever connects to TCP {self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(self._serve, self._host, self._port)
        except OSError as error:
            raise SourceError(f"TCP port {self._port} cannot be listened on: {error.strerror or error}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._hang_up()

    @abstractmethod
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...

    @abstractmethod
    async def _hang_up(self) -> None: ...


class ListeningTwin(TcpTwin):
    """All that is sent goes to all who are connected; what no one hears is lost.

    Args:
        host: Interface to listen on.
        port: To listen on.
        encoder: Makes what is sent.
    """

    def __init__(self, host: str, port: int, encoder: Encoder) -> None:
        super().__init__(host, port)
        self._encoder = encoder
        self._writers: list[asyncio.StreamWriter] = []
        self._heard = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(self._encoder.describe())
        self._writers.append(writer)
        self._heard.set()

    async def send(self, values: NDArray[np.float32], number: int, time_s: float) -> None:
        """One frame; the first waits for somebody to hear it."""
        await self._heard.wait()
        for writer in list(self._writers):
            try:
                writer.writelines(self._encoder.frame(values, number, time_s))
                await writer.drain()
            except ConnectionError:
                self._writers.remove(writer)

    async def restart(self) -> None:
        """Hangs up."""
        await self._hang_up()
        self._heard.clear()

    async def _hang_up(self) -> None:
        while self._writers:
            writer = self._writers.pop()
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            writer.close()


class ConnectingTwin:
    """Connects to a receiver.

    Args:
        host: Of the receiver.
        port: Of the receiver.
        encoder: Makes what is sent.
    """

    def __init__(self, host: str, port: int, encoder: Encoder) -> None:
        self._host = host if host not in ("", "0.0.0.0") else "127.0.0.1"
        self._port = port
        self._encoder = encoder
        self._writer: asyncio.StreamWriter | None = None

    @property
    def where(self) -> str:
        """The receiver."""
        return f"TCP {self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def send(self, values: NDArray[np.float32], number: int, time_s: float) -> None:
        """One frame."""
        assert self._writer is not None
        self._writer.writelines(self._encoder.frame(values, number, time_s))
        await self._writer.drain()

    async def restart(self) -> None:
        """Connects anew."""
        await self._hang_up()
        await self._connect()

    async def _connect(self) -> None:
        try:
            _, self._writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            raise SourceError(
                f"{self.where} cannot be reached ({error.strerror or error}): start the receiver first"
            ) from None
        self._writer.writelines(self._encoder.describe())

    async def _hang_up(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(ConnectionError):
                await self._writer.drain()
                self._writer.close()
                await self._writer.wait_closed()
