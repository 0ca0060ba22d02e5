"""A server of QTM's real-time protocol, with one skeleton."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from kineseg.motion import Joints
from kineseg.sources.address import SourceAddress
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import SourceInfo
from kineseg.sources.twins.sender import TcpTwin, Twin

PORT = 22223
_COMMAND, _XML, _DATA = 1, 2, 3
_SKELETON = 18
_HEAD = struct.Struct("<II")
_MILLIMETRES = {"m": 1000.0, "cm": 10.0, "mm": 1.0, "in": 25.4, "": 1000.0}
_HEARD_S = 20.0  # how long it waits for the first client


class QtmEncoder:
    """Makes packets of QTM.

    Args:
        info: What the frames are.
    """

    def __init__(self, info: SourceInfo) -> None:
        if info.joints is None:
            raise SourceError("QTM carries bodies, and the recording has channels only: play it to ndjson+udp://")
        self._joints: Joints = info.joints
        self._rate = info.rate
        self._scale = _MILLIMETRES[info.joints.unit]

    def parameters(self) -> bytes:
        """The XML of what it measures."""
        segments = "".join(
            f'<Segment Name={quoteattr(name)} ID="{at + 1}"/>' for at, name in enumerate(self._joints.names)
        )
        return (
            f"<QTM_Parameters_Ver_1.25><General><Frequency>{self._rate:g}</Frequency></General>"
            f"<The_3D><AxisUpwards>+{self._joints.up.upper()}</AxisUpwards></The_3D>"
            f'<Skeletons><Skeleton Name="Twin"><Segments>{segments}</Segments></Skeleton></Skeletons>'
            "</QTM_Parameters_Ver_1.25>"
        ).encode()

    def data(self, values: NDArray[np.float32], number: int, time_s: float) -> bytes:
        """What a packet of data holds."""
        segments = b"".join(
            struct.pack("<i7f", at + 1, *place, 0.0, 0.0, 0.0, 1.0)
            for at, place in enumerate(values.astype(np.float64) * self._scale)
        )
        skeleton = struct.pack("<ii", 1, len(values)) + segments
        head = struct.pack("<qII", round(time_s * 1e6), number, 1)
        return head + _HEAD.pack(_HEAD.size + len(skeleton), _SKELETON) + skeleton


class QtmTwin(TcpTwin):
    """Answers and streams.

    Args:
        host: To listen on.
        port: To listen on.
        encoder: Makes the packets.
    """

    def __init__(self, host: str, port: int, encoder: QtmEncoder) -> None:
        super().__init__(host, port)
        self._encoder = encoder
        self._hearing: set[asyncio.StreamWriter] = set()
        self._connected: set[asyncio.StreamWriter] = set()
        self._heard = asyncio.Event()

    async def send(self, values: NDArray[np.float32], number: int, time_s: float) -> None:
        """One frame; the first waits a while for somebody to hear it."""
        if not self._heard.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), _HEARD_S)
        packet = _packet(_DATA, self._encoder.data(values, number, time_s))
        for writer in list(self._hearing):
            try:
                writer.write(packet)
                await writer.drain()
            except ConnectionError:
                self._hearing.discard(writer)

    async def restart(self) -> None:
        """Hangs up."""
        await self._hang_up()

    async def _hang_up(self) -> None:
        for writer in self._connected:
            writer.close()
        self._connected.clear()
        self._hearing.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connected.add(writer)
        writer.write(_packet(_COMMAND, b"QTM RT Interface connected\0"))
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                size, kind = _HEAD.unpack(await reader.readexactly(_HEAD.size))
                said = await reader.readexactly(min(max(0, size - _HEAD.size), 1 << 16))
                if kind == _COMMAND:
                    self._answer(said.rstrip(b"\0").decode("ascii", "replace").lower(), writer)
                await writer.drain()
        self._hearing.discard(writer)
        writer.close()

    def _answer(self, command: str, writer: asyncio.StreamWriter) -> None:
        if command.startswith("version"):
            writer.write(_packet(_COMMAND, f"Version set to {command.split()[-1]}\0".encode()))
        elif command.startswith("getparameters"):
            writer.write(_packet(_XML, self._encoder.parameters() + b"\0"))
        elif command == "streamframes stop":
            self._hearing.discard(writer)
        elif command.startswith("streamframes"):
            self._hearing.add(writer)
            self._heard.set()


def _packet(kind: int, content: bytes) -> bytes:
    return _HEAD.pack(_HEAD.size + len(content), kind) + content


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``qtm://HOST:PORT``."""
    return QtmTwin(address.host, address.port or PORT, QtmEncoder(info))
