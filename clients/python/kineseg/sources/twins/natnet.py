"""A server of NatNet, as Motive is: it answers whoever asks, and sends frames to whoever has asked lately."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kineseg.motion import Joints
from kineseg.sources.address import SourceAddress
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import SourceInfo
from kineseg.sources.natnet import COMMAND_PORT
from kineseg.sources.natnet_messages import (
    CONNECT,
    FRAME,
    MODELS,
    REQUEST_MODELS,
    SERVER_INFO,
    Version,
    message,
    taken_apart,
)
from kineseg.sources.twins.sender import Twin

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "": 1.0}
_SKELETON = 1
_HEARD_S = 20.0  # how long it waits for the first client, and how long one that is silent is still there
_RUNNING_S = 100.0  # since the software began


class NatNetEncoder:
    """Makes messages of NatNet.

    Args:
        info: What the frames are.
        version: Of the protocol: 3.0, 3.1, 4.0 or 4.1.
    """

    def __init__(self, info: SourceInfo, version: Version = (4, 1)) -> None:
        if info.joints is None:
            raise SourceError("NatNet carries bodies, and the recording has channels only: play it to ndjson+udp://")
        self._joints: Joints = info.joints
        self._version = version
        self._scale = _METRES[info.joints.unit]

    def server(self) -> bytes:
        """Who serves."""
        name = b"kineseg twin".ljust(256, b"\0")
        return message(SERVER_INFO, name + bytes([3, 0, 0, 0]) + bytes([*self._version, 0, 0]))

    def models(self) -> bytes:
        """The skeleton."""
        bones = b"".join(
            name.encode() + b"\0" + struct.pack("<ii3f", at + 1, 0 if at == 0 else 1, 0.0, 0.0, 0.0)
            + (struct.pack("<i", 0) if self._version >= (3, 0) else b"")
            for at, name in enumerate(self._joints.names)
        )  # fmt: skip
        skeleton = b"Twin\0" + struct.pack("<ii", _SKELETON, len(self._joints.names)) + bones
        size = struct.pack("<i", len(skeleton)) if self._version >= (4, 1) else b""
        return message(MODELS, struct.pack("<ii", 1, 2) + size + skeleton)

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> bytes:
        """One frame."""
        places = values.astype(np.float64) * self._scale
        bones = b"".join(
            struct.pack(
                "<i8fH",
                (_SKELETON << 16) + at + 1,
                *(place if (seen := bool(np.isfinite(place).all())) else (0.0, 0.0, 0.0)),
                *(0.0, 0.0, 0.0, 1.0, 0.0),
                int(seen),
            )
            for at, place in enumerate(places)
        )
        empty = self._section(0, b"")
        skeletons = self._section(1, struct.pack("<ii", _SKELETON, len(places)) + bones)
        sections = [empty, empty, empty, skeletons]
        sections += [empty] * (4 if self._version >= (4, 1) else 3)  # assets, labelled markers, plates, devices
        stamps = (int(time_s * 1e6), int(time_s * 1e6), int(time_s * 1e6))
        suffix = struct.pack("<IIdQQQH", 0, 0, _RUNNING_S + time_s, *stamps, 0)
        return message(FRAME, struct.pack("<i", number) + b"".join(sections) + suffix + bytes(4))

    def _section(self, count: int, content: bytes) -> bytes:
        size = struct.pack("<i", len(content)) if self._version >= (4, 1) else b""
        return struct.pack("<i", count) + size + content


class NatNetTwin:
    """Answers and sends.

    Args:
        host: To listen on.
        port: To listen on.
        encoder: Makes the messages.
    """

    def __init__(self, host: str, port: int, encoder: NatNetEncoder) -> None:
        self._host = host or "127.0.0.1"
        self._port = port
        self._encoder = encoder
        self._clients: dict[tuple[str, int], float] = {}
        self._described = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def where(self) -> str:
        """Where it listens."""
        return f"whoever asks at UDP {self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Answers(self._asked), local_addr=(self._host, self._port)
            )
        except OSError as error:
            raise SourceError(f"UDP port {self._port} cannot be listened on: {error.strerror or error}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            self._transport.close()

    async def send(self, values: NDArray[np.float32], number: int, time_s: float) -> None:
        """One frame; the first waits a while for somebody who knows the skeleton."""
        if not self._described.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._described.wait(), _HEARD_S)
        frame, now = self._encoder.frame(values, number, time_s), time.monotonic()
        self._send(frame, [client for client, heard in self._clients.items() if now - heard < _HEARD_S])

    async def restart(self) -> None:
        """Nothing but the count and the clock."""

    def _asked(self, data: bytes, client: tuple[str, int]) -> None:
        self._clients[client] = time.monotonic()
        number, _ = taken_apart(data)
        if number == CONNECT:
            self._send(self._encoder.server(), [client])
        elif number == REQUEST_MODELS:
            self._send(self._encoder.models(), [client])
            self._described.set()

    def _send(self, data: bytes, clients: Iterable[tuple[str, int]]) -> None:
        assert self._transport is not None
        for client in clients:
            self._transport.sendto(data, client)


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, asked: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._asked = asked

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        with contextlib.suppress(Exception):  # of whoever sends here what is no request
            self._asked(data, (str(addr[0]), addr[1]))

    def error_received(self, exc: Exception) -> None:
        pass


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``natnet://HOST:PORT?version=4.1``."""
    versions = {"3.0": (3, 0), "3.1": (3, 1), "4.0": (4, 0), "4.1": (4, 1)}
    version = versions[address.choice("version", versions, "4.1")]
    host = "127.0.0.1" if address.host in ("", "localhost") else address.host
    return NatNetTwin(host, address.port or COMMAND_PORT, NatNetEncoder(info, version))
