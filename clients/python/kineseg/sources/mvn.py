"""``mvn://HOST:PORT``: Xsens MVN's real-time network stream over UDP; facts from its specification, MV0305P.

Segments come with their position in the world. Read are messages of the types 02 (quaternions: metres, z up) and 01
(Euler angles: centimetres, y up).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg.motion import Joints
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.udp import UdpEndpoint
from kineseg.sources.errors import Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.source import LiveSource, Source

PORT = 9763

SEGMENTS = (
    *("Pelvis", "L5", "L3", "T12", "T8", "Neck", "Head"),
    *("RightShoulder", "RightUpperArm", "RightForearm", "RightHand"),
    *("LeftShoulder", "LeftUpperArm", "LeftForearm", "LeftHand"),
    *("RightUpperLeg", "RightLowerLeg", "RightFoot", "RightToe"),
    *("LeftUpperLeg", "LeftLowerLeg", "LeftFoot", "LeftToe"),
)
"""Segments 1 to 23; the position of each is that of its joint nearest to the body."""

HEADER = struct.Struct(">6sIBBIBBBBHH")
_LAST = 0x80
_MILLISECOND = 1_000_000
_MOST_CHARACTERS = 32

_QUATERNIONS = np.dtype([("id", ">u4"), ("position", ">f4", 3), ("rotation", ">f4", 4)])
_EULER = np.dtype([("id", ">u4"), ("position", ">f4", 3), ("rotation", ">f4", 3)])
_READ = {b"01": (_EULER, "y", "cm"), b"02": (_QUATERNIONS, "z", "m")}
# What else may be streamed; what comes beside poses is no fault.
_BESIDE = {
    b"12": "names", b"13": "scale", b"20": "joint angles", b"21": "linear kinematics", b"22": "angular kinematics",
    b"23": "tracker kinematics", b"24": "centre of mass", b"25": "time code",
}  # fmt: skip
_OTHER = {b"03": "marker positions", b"04": "MotionGrid", b"05": "Unity3D", b"10": "scale (old)", b"11": "props (old)"}


class _Frame(NamedTuple):
    sample: int
    kind: bytes
    positions: NDArray[np.float32]


class MvnDecoder:
    """Reads datagrams of MVN; a frame of many segments may come in several."""

    def __init__(self) -> None:
        self._layouts = {
            kind: Layout(Joints(names=SEGMENTS, up="z" if up == "z" else "y", unit="m" if unit == "m" else "cm"))
            for kind, (_, up, unit) in _READ.items()
        }
        self.reset()

    def reset(self) -> None:
        """Forget frames of which a part is missing."""
        self._open: dict[int, _Frame] = {}

    def decode(self, item: bytes) -> Iterator[Sample]:
        """The frame that is complete with this datagram.

        Raises:
            Unreadable: It is no datagram of MVN, or not one of poses.
        """
        if len(item) < HEADER.size or item[:4] != b"MXTP":
            raise Unreadable(f"no datagram of MVN (it begins with {item[:6]!r})")
        name, sample, datagram, items, milliseconds, character, *_ = HEADER.unpack_from(item)
        kind = name[4:6]
        if kind in _BESIDE:
            return
        if kind not in _READ:
            what = _OTHER.get(kind, "unknown")
            raise Unreadable(f"MVN message type {kind.decode('ascii', 'replace')} ({what}), not 02 (quaternions)")
        record, _, _ = _READ[kind]
        items = min(items, (len(item) - HEADER.size) // record.itemsize)
        segments = np.frombuffer(item, record, items, HEADER.size)
        frame = self._open.get(character)
        if frame is None or frame.sample != sample or frame.kind != kind:
            if len(self._open) >= _MOST_CHARACTERS:
                self._open.clear()
            frame = self._open[character] = _Frame(sample, kind, np.full((len(SEGMENTS), 3), np.nan, np.float32))
        ours = (segments["id"] >= 1) & (segments["id"] <= len(SEGMENTS))
        points = segments["position"][ours].astype(np.float32)
        points[~(np.abs(points) <= 1e9)] = np.nan
        frame.positions[segments["id"][ours].astype(np.int64) - 1] = points
        # Old versions count 0 of 1; others mark the last one.
        if not datagram & _LAST and not np.isfinite(frame.positions).all():
            return
        del self._open[character]
        if np.isnan(frame.positions).all():
            raise Unreadable("MVN poses without a segment of a body (props alone?)")
        performer = f"character {character + 1}" if character else ""
        yield Sample(self._layouts[kind], frame.positions, performer, sample, milliseconds * _MILLISECOND)


def open_mvn(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``mvn://HOST:PORT``; port 9763 unless given."""
    address.check_options(["performer"])
    port = PORT if address.port is None else address.port
    return LiveSource(
        UdpEndpoint(address.host, port),
        MvnDecoder(),
        expected=Expectations.of(address),
        remedies=Remedies(
            "MVN poses (type 02)",
            "In MVN: Options, Preferences, Network Streamer: add this machine's address with port "
            f"{port}, protocol UDP, and tick Position + Orientation (Quaternion); play or go live; let UDP {port} "
            "through the firewall",
        ),
        mapping=mapping,
        performer=address.text("performer"),
    )
