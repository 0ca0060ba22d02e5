"""Bytes at a port that are no calls: at random, or what begins as HTTP/2, HTTP/1 or TLS do and then is not."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from random import Random

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_PATIENCE_S = 0.5


class Noise:
    """Knocks at a port with whatever comes.

    Args:
        address: HOST:PORT.
        seed: Decides what.

    Attributes:
        connections: How many there have been.
        bytes: How many have been sent.
    """

    def __init__(self, address: str, seed: int) -> None:
        host, port = address.rsplit(":", 1)
        self._where = host, int(port)
        self._random = Random(seed)
        self.connections = 0
        self.bytes = 0

    async def knock(self) -> None:
        """One connection."""
        with contextlib.suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection(*self._where)
            self.connections += 1
            try:
                said = self._said()
                self.bytes += len(said)
                writer.write(said)
                await writer.drain()
                async with asyncio.timeout(_PATIENCE_S * self._random.random()):
                    while await reader.read(65536):
                        pass
            finally:
                writer.close()

    def _said(self) -> bytes:
        random = self._random
        match random.randrange(6):
            case 0:
                return random.randbytes(random.randrange(1, 4096))
            case 1:
                return _PREFACE + random.randbytes(random.randrange(1, 1024))
            case 2:
                return _PREFACE + _SETTINGS + b"".join(self._frame() for _ in range(random.randrange(1, 20)))
            case 3:
                return b"GET /metrics HTTP/1.1\r\nHost: " + b"x" * random.randrange(10_000) + b"\r\n\r\n"
            case 4:
                return b"\x16\x03\x01" + random.randbytes(random.randrange(1, 600))
            case _:
                return _PREFACE[: random.randrange(len(_PREFACE))]

    def _frame(self) -> bytes:
        """A frame of HTTP/2 of any type, with any flags, that is as long as it says, or not."""
        random = self._random
        content = random.randbytes(random.randrange(0, 64))
        says = len(content) if random.random() < 0.8 else random.randrange(1 << 24)
        head = struct.pack(">I", says)[1:] + bytes((random.randrange(12), random.randrange(256)))
        return head + struct.pack(">I", random.choice((0, 1, 3, random.getrandbits(32)))) + content
