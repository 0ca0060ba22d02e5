"""``vicon://HOST:PORT``: the UDP object stream of Vicon Tracker: rigid objects, each with its position.

Little-endian: the number of the frame (u32) and of items (u8), then an item each: 0 (u8), the size of what follows
(u16: 72), a name of 24 letters, position in millimetres and angles in radians, six doubles. A datagram has a fixed
size; what does not fit comes in another one of the same frame. Z is up. What Tracker does not see has zeros throughout.

Objects whose names make a body are its joints; any others are channels, x, y and z of each.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

import numpy as np

from kineseg.motion import JointMappingError, Joints
from kineseg.motion.joint_mapping import map_joints
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.udp import UdpEndpoint
from kineseg.sources.errors import Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.source import LiveSource, Source
from kineseg.sources.usual_parts import UsualParts

PORT = 51001
HEAD = struct.Struct("<IB")
ITEM = struct.Struct("<BH24s6d")
OBJECT = 0
OBJECT_SIZE = 72
_ITEM_HEAD = struct.Struct("<BH")
_MOST_OBJECTS = 128


class ViconDecoder:
    """Reads datagrams of Tracker; a frame of many objects comes in several.

    Args:
        mapping: Canonical joint -> name of an object, for names that are not recognised.
        kind: ``joints``, ``channels``, or empty: as the names are.
    """

    def __init__(self, mapping: Mapping[str, str] | None = None, kind: str = "") -> None:
        self._mapping = mapping or {}
        self._kind = kind
        self.reset()

    def reset(self) -> None:
        """Forget which objects there are."""
        self._number: int | None = None
        self._found: dict[str, tuple[float, float, float]] = {}
        self._usual = UsualParts()
        self._layout: Layout | None = None
        self._order: tuple[str, ...] = ()

    def decode(self, item: bytes) -> Iterator[Sample]:
        """The frames that are complete with this datagram.

        Raises:
            Unreadable: It is no datagram of Tracker, or has no objects.
        """
        number, objects = _taken_apart(item)
        if number != self._number:
            yield from self._close()
            self._number = number
        if len(self._found) + len(objects) > _MOST_OBJECTS:
            raise Unreadable(f"more than {_MOST_OBJECTS} objects of Vicon in a frame")
        self._found |= objects
        if self._usual.complete(self._found):
            yield from self._close()

    def _close(self) -> Iterator[Sample]:
        found, self._found = self._found, {}
        if not found or not self._usual.learn(found):  # of the first frame a part may have been missed
            return
        order = tuple(sorted(self._usual.names))
        if self._layout is None or order != self._order:
            self._order, self._layout = order, self._described(order)
        values = np.array([found.get(name, (np.nan,) * 3) for name in order], np.float64)
        values[~(np.abs(values) <= 1e9).all(axis=1) | (values == 0.0).all(axis=1)] = np.nan
        numbers = values.astype(np.float32)
        yield Sample(self._layout, numbers if self._layout.joints else numbers.reshape(-1), number=self._number)

    def _described(self, names: tuple[str, ...]) -> Layout:
        joints = Joints(names=names, up="z", unit="mm")
        if self._kind == "joints" or (not self._kind and self._is_body(names)):
            return Layout(joints)
        notes = () if self._kind else ("the objects are no body: their positions are channels",)
        return Layout(channels=joints.numbers, notes=notes)

    def _is_body(self, names: tuple[str, ...]) -> bool:
        try:
            map_joints(names, {joint: name for joint, name in self._mapping.items() if name in names})
        except JointMappingError:
            return False
        return True


def _taken_apart(item: bytes) -> tuple[int, dict[str, tuple[float, float, float]]]:
    """The number of a frame, and where its objects are."""
    if len(item) < HEAD.size:
        raise Unreadable("no datagram of Vicon Tracker (too short)")
    number, count = HEAD.unpack_from(item)
    objects: dict[str, tuple[float, float, float]] = {}
    at = HEAD.size
    for _ in range(count):
        if at + _ITEM_HEAD.size > len(item):
            raise Unreadable("no datagram of Vicon Tracker, or cut short")
        kind, size = _ITEM_HEAD.unpack_from(item, at)
        if at + _ITEM_HEAD.size + size > len(item):
            raise Unreadable("no datagram of Vicon Tracker, or cut short")
        if kind == OBJECT and size == OBJECT_SIZE:
            _, _, label, x, y, z, *_ = ITEM.unpack_from(item, at)
            name = label.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
            if name:
                objects[name] = (x, y, z)
        at += _ITEM_HEAD.size + size
    if not objects:
        raise Unreadable("a datagram of Vicon Tracker without objects" if not count else "no datagram of Vicon Tracker")
    return number, objects


def open_vicon(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``vicon://HOST:PORT?as=channels``; port 51001 unless given."""
    address.check_options(["as"])
    port = PORT if address.port is None else address.port
    return LiveSource(
        UdpEndpoint(address.host, port),
        ViconDecoder(mapping, address.choice("as", ("", "joints", "channels"), "")),
        expected=Expectations.of(address),
        remedies=Remedies(
            "objects of Vicon Tracker",
            "In Tracker: System, Local Vicon System, UDP Object Stream: enabled, IP address of this machine, port "
            f"{port}, and the objects ticked; let UDP {port} through the firewall",
        ),
        mapping=mapping,
    )
