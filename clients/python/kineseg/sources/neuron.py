"""``neuron://HOST:PORT``: Perception Neuron's BVH stream, of Axis Neuron and Axis Studio, as binary data over UDP;
``neuron+tcp://SERVER:PORT``: the same over TCP.

A header of 64 bytes, little-endian, between the marks 0xDDFF and 0xEEFF, with the number of values, whether they have
displacements and a reference, the avatar and the number of the frame; then single-precision numbers of 59 bones in the
order of a BVH file: the displacement from the bone above in centimetres and the angles in degrees, or the angles alone
for all but the hips. Right-handed, y up.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from kineseg.motion import Joints
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.tcp import TcpClient, read_bytes
from kineseg.sources.endpoints.udp import UdpEndpoint
from kineseg.sources.errors import Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.local_bones import UNTURNED, Quaternion, Vector, product, world_positions
from kineseg.sources.source import LiveSource, Source
from kineseg.sources.unity_body import REST

PORT, TCP_PORT = 7001, 7001
HEADER = struct.Struct("<HIHBBI32sIIIIH")
MARK, END_MARK = 0xDDFF, 0xEEFF
N_BONES = 59

# Fingers, which say nothing about actions, are left out: bones of the stream that are used.
BONES: tuple[tuple[int, str, str], ...] = (
    (0, "Hips", "Hips"),
    (1, "RightUpLeg", "RightUpperLeg"), (2, "RightLeg", "RightLowerLeg"), (3, "RightFoot", "RightFoot"),
    (4, "LeftUpLeg", "LeftUpperLeg"), (5, "LeftLeg", "LeftLowerLeg"), (6, "LeftFoot", "LeftFoot"),
    (7, "Spine", "Spine"), (8, "Spine1", "Chest"), (9, "Spine2", "UpperChest"), (10, "Spine3", ""),
    (11, "Neck", "Neck"), (12, "Head", "Head"),
    (13, "RightShoulder", "RightShoulder"), (14, "RightArm", "RightUpperArm"),
    (15, "RightForeArm", "RightLowerArm"), (16, "RightHand", "RightHand"),
    (36, "LeftShoulder", "LeftShoulder"), (37, "LeftArm", "LeftUpperArm"),
    (38, "LeftForeArm", "LeftLowerArm"), (39, "LeftHand", "LeftHand"),
)  # fmt: skip
"""Number in the stream, name, and Unity's bone, whose place is taken where a stream has angles alone."""

PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 10, 11, 10, 13, 14, 15, 10, 17, 18, 19)
_STUDIO_NAMES = {"Spine3": "Neck", "Neck": "Neck1"}
_STUDIO_PARENTS = tuple(9 if child in (13, 17) else parent for child, parent in enumerate(PARENTS))
_ORDERS = ("yxz", "xyz", "xzy", "yzx", "zxy", "zyx")
# Numbers of a frame without a reference: with displacements, and without all but that of the hips.
_MOVED, _TURNED = 6 * N_BONES, 3 + 3 * N_BONES
_REFERENCE = 6
_MOST_NUMBERS = 1024
_MOST_BUFFERED = 1 << 16


class _Header(NamedTuple):
    numbers: int
    moved: bool
    reference: bool
    avatar: int
    name: str
    frame: int

    @property
    def size(self) -> int:
        """Bytes with what follows it."""
        return HEADER.size + 4 * self.numbers


class NeuronDecoder:
    """Reads packets of Axis.

    Args:
        order: In which the angles come.
        studio: Whether the skeleton is that of Axis Studio, whose shoulders hang on another bone.
        stream: Whether they come without bounds, as over TCP.
    """

    def __init__(self, *, order: str = "yxz", studio: bool = False, stream: bool = False) -> None:
        self._order = order
        self._parents = _STUDIO_PARENTS if studio else PARENTS
        renamed = _STUDIO_NAMES if studio else {}
        joints = Joints(names=tuple(renamed.get(name, name) for _, name, _ in BONES), up="y", unit="cm")
        self._layout = Layout(joints)
        assumed = "Axis sends no displacements: a body of usual proportions is assumed"
        self._turned_layout = Layout(joints, notes=(assumed,))
        self._stream = stream
        self.reset()

    def reset(self) -> None:
        """What is left of a packet will not be completed."""
        self._buffer = b""

    def decode(self, item: bytes) -> Iterator[Sample]:
        """The frames that are complete with these bytes.

        Raises:
            Unreadable: They are no binary BVH of Axis.
        """
        if not self._stream:
            header = _header(item)
            if len(item) < header.size:
                raise Unreadable("a packet of Axis that is cut short")
            yield self._sample(header, item)
            return
        self._buffer += item
        while len(self._buffer) >= HEADER.size:
            try:
                header = _header(self._buffer)
            except Unreadable:
                self._seek()
                raise
            if len(self._buffer) < header.size:
                return
            packet, self._buffer = self._buffer[: header.size], self._buffer[header.size :]
            yield self._sample(header, packet)

    def _seek(self) -> None:
        """Go on where the next header may begin."""
        at = self._buffer.find(MARK.to_bytes(2, "little"), 1)
        self._buffer = self._buffer[at:][:_MOST_BUFFERED] if at > 0 else self._buffer[-1:]

    def _sample(self, header: _Header, packet: bytes) -> Sample:
        first = _REFERENCE if header.reference else 0
        wanted = first + (_MOVED if header.moved else _TURNED)
        if header.numbers < wanted:
            raise Unreadable(f"{header.numbers} numbers in a frame of Axis, where {wanted} belong: 59 bones, binary")
        numbers = np.frombuffer(packet, "<f4", header.numbers, HEADER.size).astype(np.float64)[first:].tolist()
        places: list[Vector | None] = []
        turns: list[Quaternion | None] = []
        for bone, _, unity in BONES:
            at = 6 * bone if header.moved else 3 + 3 * bone
            place: tuple[float, ...]
            if header.moved or bone == 0:
                place = tuple(numbers[at : at + 3]) if header.moved else tuple(numbers[:3])
                at += 3 if header.moved else 0
            else:
                x, y, z = REST.get(unity, (0.0, 0.0, 0.0))
                place = (-100.0 * x, 100.0 * y, 100.0 * z)  # Unity's axes are left-handed
            angles = numbers[at : at + 3]
            places.append((place[0], place[1], place[2]) if all(map(math.isfinite, place)) else None)
            turns.append(_turn(angles, self._order) if all(map(math.isfinite, angles)) else None)
        values = world_positions(self._parents, places, turns)
        if np.isnan(values).all():
            raise Unreadable("a frame of Axis without numbers")
        performer = (header.name or f"avatar {header.avatar}") if header.avatar else ""
        return Sample(self._layout if header.moved else self._turned_layout, values, performer, header.frame)


def _header(packet: bytes) -> _Header:
    if len(packet) < HEADER.size:
        raise Unreadable(f"no binary BVH of Axis (it begins with {packet[:12]!r})")
    mark, _, count, moved, reference, avatar, name, frame, *_, end = HEADER.unpack_from(packet)
    if mark != MARK or end != END_MARK:
        text = all(byte in b"0123456789.-+eE \r\n\t|C" for byte in packet[:48])
        what = "BVH as text: choose the binary format" if text else f"it begins with {packet[:12]!r}"
        raise Unreadable(f"no binary BVH of Axis ({what})")
    if count > _MOST_NUMBERS:
        raise Unreadable(f"{count} numbers in a frame of Axis; there must be {_MOST_NUMBERS} at most")
    said = name.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
    return _Header(count, bool(moved), bool(reference), avatar, said, frame)


def _turn(angles: list[float], order: str) -> Quaternion:
    """What angles in degrees, about moving axes in this order, turn by."""
    total = UNTURNED
    for axis, degrees in zip(order, angles, strict=True):
        half = math.radians(degrees) / 2.0
        turn = [0.0, 0.0, 0.0, math.cos(half)]
        turn["xyz".index(axis)] = math.sin(half)
        total = product(total, (turn[0], turn[1], turn[2], turn[3]))
    return total


def open_neuron(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``neuron://HOST:PORT?order=yxz&skeleton=studio``, ``neuron+tcp://SERVER:PORT``; port 7001 unless given."""
    address.check_options(["order", "performer", "skeleton"])
    by_tcp = address.scheme == "neuron+tcp"
    port = address.port if address.port is not None else TCP_PORT if by_tcp else PORT
    decoder = NeuronDecoder(
        order=address.choice("order", _ORDERS, "yxz"),
        studio=address.choice("skeleton", ("neuron", "studio"), "neuron") == "studio",
        stream=by_tcp,
    )
    protocol = "TCP" if by_tcp else "UDP"
    reach = "this machine may reach it" if by_tcp else f"with the address of this machine; let UDP {port} in"
    return LiveSource(
        TcpClient(address.host, port, read_bytes) if by_tcp else UdpEndpoint(address.host, port),
        decoder,
        expected=Expectations.of(address),
        remedies=Remedies(
            "binary BVH of Axis",
            f"In Axis Neuron or Axis Studio: Settings, Broadcasting (BVH): enabled, binary, {protocol}, port {port}, "
            f"displacement on, rotation YXZ, the old header where that is asked; {reach}",
        ),
        mapping=mapping,
        performer=address.text("performer"),
    )
