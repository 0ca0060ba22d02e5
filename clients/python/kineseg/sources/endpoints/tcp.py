"""Servers that are connected to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from kineseg.sources.endpoints.again import again_for_ever
from kineseg.sources.endpoints.lines import LONGEST_LINE
from kineseg.sources.source import Inlet

_CHUNK = 1 << 16  # bytes


class TcpClient:
    """Connects to a server, and again when it goes away.

    Args:
        host: Of the server.
        port: Of the server.
        read: Gives an inlet what comes of a connection.
    """

    def __init__(
        self, host: str, port: int, read: Callable[[asyncio.StreamReader, Inlet[bytes], str], Awaitable[None]]
    ) -> None:
        self._host = host or "127.0.0.1"
        self._port = port
        self._read = read

    @property
    def where(self) -> str:
        """What it is connected to."""
        return f"TCP {self._host}:{self._port}"

    async def open(self) -> None:
        """Nothing to do: a server that is not there may come."""

    async def run(self, inlet: Inlet[bytes]) -> None:
        """Receive for ever."""
        await again_for_ever(lambda: self._once(inlet))

    async def _once(self, inlet: Inlet[bytes]) -> bool:
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=LONGEST_LINE)
        except OSError as error:
            inlet.trouble(f"{self.where} cannot be reached ({error.strerror or error}); trying again")
            return False
        inlet.connected()
        try:
            await self._read(reader, inlet, self.where)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        inlet.trouble(f"{self.where} closed the connection; trying again")
        return True

    async def close(self) -> None:
        """Nothing to do."""


async def read_bytes(reader: asyncio.StreamReader, inlet: Inlet[bytes], sender: str) -> None:
    """Give an inlet what comes of a connection, as it comes, until that ends."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            inlet.take(data, len(data), sender)
            await inlet.room()
