"""``qtm://SERVER``: Qualisys Track Manager by its real-time protocol, with the client library of Qualisys.

Skeletons if there are any, else labelled markers. Millimetres; the vertical axis as the server says.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
import qtm_rt
from numpy.typing import NDArray
from qtm_rt.packet import QRTComponentType, QRTPacket

from kineseg.motion import Joints, MotionError
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.again import again_for_ever
from kineseg.sources.errors import Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.source import Inlet, LiveSource, Source

logging.getLogger("qtm_rt").addHandler(logging.NullHandler())  # what it says of failures is said here

PORT = 22223
VERSION = "1.25"
_TIMEOUT_S = 5
_MOST_COMPONENTS = 64
_HEAD = struct.Struct("<qII")  # microseconds, frame, components
_UNSEEN = (np.nan,) * 3
_MOST_SKELETONS = 64


@dataclass(frozen=True, eq=False)
class Parameters:
    """What a server says of itself: the XML of its parameters."""

    xml: bytes


@dataclass(frozen=True, eq=False)
class _Skeleton:
    """A skeleton as it is described: its segments by number."""

    name: str
    numbers: tuple[str, ...]
    layout: Layout

    def values(self, segments: list[tuple[int, Any]]) -> NDArray[np.float32]:
        """Places of the segments that are in a packet; NaN for others: all, where it is not in sight."""
        found = {str(number): place for number, place in segments}
        return _values([found.get(number, _UNSEEN) for number in self.numbers])


class QtmDecoder:
    """Turns parameters and packets into frames."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the server."""
        self._skeletons: list[_Skeleton] = []
        self._markers: Layout | None = None
        self._described = False

    def decode(self, item: Parameters | bytes) -> Iterator[Sample]:
        """The bodies in a packet of data; none of parameters.

        Raises:
            Unreadable: It cannot be read, or there are neither skeletons nor markers.
        """
        if isinstance(item, Parameters):
            self._describe(item.xml)
            return
        if not self._described:
            raise Unreadable("data of QTM before its parameters")
        try:
            if _HEAD.unpack_from(item)[2] > _MOST_COMPONENTS:
                raise ValueError("absurdly many components")
            packet = QRTPacket(item)
            skeletons, markers = _content(packet)
        except (struct.error, ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
            raise Unreadable(f"a packet of QTM that cannot be read ({error})") from None
        time_ns, number = int(packet.timestamp) * 1000, int(packet.framenumber)
        if skeletons and self._skeletons:
            for skeleton, segments in zip(self._skeletons, skeletons[:_MOST_SKELETONS], strict=False):
                name = skeleton.name if len(self._skeletons) > 1 else ""
                yield Sample(skeleton.layout, skeleton.values(segments), name, number, time_ns)
            return
        if markers and self._markers is not None and self._markers.joints is not None:
            if len(markers) != len(self._markers.joints.names):
                raise Unreadable("labelled markers of QTM that are not those described")
            yield Sample(self._markers, _values(markers), "", number, time_ns)
            return
        raise Unreadable("data of QTM with neither skeletons nor labelled markers: solve skeletons, or label markers")

    def _describe(self, xml: bytes) -> None:
        try:
            root = ElementTree.fromstring(xml)
        except ElementTree.ParseError as error:
            raise Unreadable(f"parameters of QTM that are no XML ({error})") from None
        for element in root.iter():  # one version has a namespace, others do not
            element.tag = element.tag.rpartition("}")[2]
        rate = _number(root.findtext(".//General/Frequency"))
        up = (root.findtext(".//The_3D/AxisUpwards") or root.findtext(".//AxisUpwards") or "").strip().upper()
        axis = {"+Y": "y", "Y": "y", "+Z": "z", "Z": "z"}.get(up)
        self._skeletons, self._markers, self._described = [], None, True

        def layout(names: list[str]) -> Layout:
            joints = Joints(names=names, up="y" if axis == "y" else "z", unit="mm")
            return Layout(joints, rate=rate, up_known=axis is not None)

        try:
            for skeleton in root.iterfind(".//Skeletons/Skeleton"):
                segments = list(skeleton.iter("Segment"))
                if segments:
                    numbers = tuple(segment.get("ID", str(at + 1)) for at, segment in enumerate(segments))
                    names = [segment.get("Name", "") for segment in segments]
                    self._skeletons.append(_Skeleton(skeleton.get("Name", "")[:64], numbers, layout(names)))
            labels = [(label.findtext("Name") or "").strip() for label in root.iterfind(".//The_3D/Label")]
            if labels:
                self._markers = layout(labels)
        except MotionError as error:
            raise Unreadable(f"names of QTM that cannot be used: {error}") from None


def _content(packet: QRTPacket) -> tuple[list[list[tuple[int, Any]]], list[Any]]:
    """Numbers and places of the segments of each skeleton, and of the markers; empty where there are none."""
    skeletons: list[list[tuple[int, Any]]] = []
    markers: list[Any] = []
    if QRTComponentType.ComponentSkeleton in packet.components:
        _, found = packet.get_skeletons()
        skeletons = [[(number, place) for number, place, _ in segments] for segments in found]
    if QRTComponentType.Component3d in packet.components:
        _, markers = packet.get_3d_markers()
    return skeletons, markers


def _values(places: list[Any]) -> NDArray[np.float32]:
    values = np.array([tuple(place) for place in places], np.float32).reshape(-1, 3)
    values[~(np.abs(values) <= 1e9)] = np.nan
    return values


def _number(said: str | None) -> float | None:
    try:
        value = float(said or "nan")
    except ValueError:
        return None
    return value if 0 < value < 1e5 else None


class QtmEndpoint:
    """Connects to a server, and again when it goes away.

    Args:
        host: Of the server.
        port: Of the server, where it speaks little-endian.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host or "127.0.0.1"
        self._port = port

    @property
    def where(self) -> str:
        """The server."""
        return f"QTM server {self._host} (TCP {self._port})"

    async def open(self) -> None:
        """Nothing to do: a server that is not there may come."""

    async def close(self) -> None:
        """Nothing to do."""

    async def run(self, inlet: Inlet[Parameters | bytes]) -> None:
        """Receive for ever."""
        await again_for_ever(lambda: self._once(inlet))

    async def _once(self, inlet: Inlet[Parameters | bytes]) -> bool:
        lost = asyncio.Event()
        connection = await qtm_rt.connect(
            self._host, self._port, VERSION, on_disconnect=lambda _: lost.set(), timeout=_TIMEOUT_S
        )
        if connection is None:
            inlet.trouble(f"{self.where} cannot be reached; trying again")
            return False
        try:
            await self._stream(connection, inlet, lost)
        finally:
            connection.disconnect()
        inlet.trouble(f"{self.where} has closed the connection; trying again")
        return True

    async def _stream(self, connection: Any, inlet: Inlet[Parameters | bytes], lost: asyncio.Event) -> None:
        inlet.connected()
        try:
            for parameters in (["general", "3d", "skeleton"], ["general", "3d"]):
                try:
                    xml = await connection.get_parameters(parameters=parameters)
                    break
                except qtm_rt.QRTCommandException:  # an old server without skeletons
                    continue
            else:
                inlet.trouble(f"{self.where} does not say what it measures; is a measurement open?")
                return
            inlet.take(Parameters(xml), len(xml), self._host)
            components = ["skeleton:global", "3d"] if b"Skeleton" in xml else ["3d"]
            await connection.stream_frames(
                components=components, on_packet=lambda packet: inlet.take(packet.data, len(packet.data), self._host)
            )
        except (TimeoutError, qtm_rt.QRTCommandException) as error:
            inlet.trouble(f"{self.where} refuses to stream ({error}); is a measurement open, or real time on?")
            return
        await lost.wait()


def open_qtm(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``qtm://SERVER``; port 22223 unless given."""
    address.check_options(["performer"])
    return LiveSource(
        QtmEndpoint(address.host, address.port or PORT),
        QtmDecoder(),
        expected=Expectations.of(address),
        remedies=Remedies(
            "QTM's real-time data",
            "In QTM: Tools, Options, Real-time output: base port 22222, so that 22223 is the little-endian one; start "
            "a preview, or Play with Real-Time output; let TCP 22223 through the firewall of that machine",
        ),
        mapping=mapping,
        performer=address.text("performer"),
    )
