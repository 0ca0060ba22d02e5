"""``mocopi://HOST:PORT``: Sony mocopi over UDP: nested entries of a length, a name of four letters and a content.

27 bones with rotations and positions relative to the bone above, metres, right-handed, y up. Its own time is not used:
frames are numbered, and placed by their arrival.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping

from kineseg.motion import Joints
from kineseg.sources.address import Expectations, SourceAddress
from kineseg.sources.arrivals import Remedies
from kineseg.sources.endpoints.udp import UdpEndpoint
from kineseg.sources.errors import Unreadable
from kineseg.sources.frames import Layout, Sample
from kineseg.sources.local_bones import Quaternion, Vector, normalised, world_positions
from kineseg.sources.source import LiveSource, Source

PORT = 12351

BONES: tuple[tuple[str, int], ...] = (
    ("root", -1),
    *((f"torso_{at}", at - 1) for at in range(1, 8)),
    ("neck_1", 7), ("neck_2", 8), ("head", 9),
    ("l_shoulder", 7), ("l_up_arm", 11), ("l_low_arm", 12), ("l_hand", 13),
    ("r_shoulder", 7), ("r_up_arm", 15), ("r_low_arm", 16), ("r_hand", 17),
    ("l_up_leg", 0), ("l_low_leg", 19), ("l_foot", 20), ("l_toes", 21),
    ("r_up_leg", 0), ("r_low_leg", 23), ("r_foot", 24), ("r_toes", 25),
)  # fmt: skip
"""Name and the bone above of each, by number."""

_PARENTS = tuple(parent for _, parent in BONES)
_ENTRY = struct.Struct("<I4s")
_TRAN = struct.Struct("<7f")


class MocopiDecoder:
    """Reads datagrams of mocopi."""

    def __init__(self) -> None:
        self._layout = Layout(Joints(names=tuple(name for name, _ in BONES), up="y", unit="m"), rate=None)

    def reset(self) -> None:
        """Nothing is remembered."""

    def decode(self, item: bytes) -> Iterator[Sample]:
        """The frame in a datagram; none in one that describes the skeleton.

        Raises:
            Unreadable: It is no datagram of mocopi.
        """
        top = dict(_entries(item))
        if b"fram" not in top:
            if b"skdf" in top:
                return  # the bones are always the same
            known = b"head" in top or b"sndf" in top
            raise Unreadable("a datagram of mocopi without a frame" if known else f"no mocopi ({item[:12]!r})")
        frame = dict(_entries(top[b"fram"]))
        number = frame.get(b"fnum", b"")
        places: list[Vector | None] = [None] * len(BONES)
        turns: list[Quaternion | None] = [None] * len(BONES)
        for name, content in _entries(frame.get(b"btrs", b"")):
            if name != b"btdt":
                continue
            bone = dict(_entries(content))
            at, tran = bone.get(b"bnid", b""), bone.get(b"tran", b"")
            if len(at) != 2 or len(tran) != _TRAN.size or int.from_bytes(at, "little") >= len(BONES):
                continue
            x, y, z, w, *place = _TRAN.unpack(tran)
            joint = int.from_bytes(at, "little")
            turns[joint] = normalised((x, y, z, w))
            if all(math.isfinite(one) for one in place):
                places[joint] = (place[0], place[1], place[2])
        if places[0] is None:
            raise Unreadable("a frame of mocopi without its root bone")
        values = world_positions(_PARENTS, places, turns)
        yield Sample(self._layout, values, number=int.from_bytes(number, "little") if len(number) == 4 else None)


def _entries(data: bytes, most: int = 512) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents of the entries that follow one another.

    Raises:
        Unreadable: One is longer than what holds it.
    """
    at = 0
    for _ in range(most):
        if at + _ENTRY.size > len(data):
            return
        size, name = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        if at + size > len(data):
            raise Unreadable(f"no mocopi, or cut short ({data[:12]!r})")
        yield name, data[at : at + size]
        at += size


def open_mocopi(address: SourceAddress, mapping: Mapping[str, str]) -> Source:
    """``mocopi://HOST:PORT``; port 12351 unless given."""
    address.check_options([])
    port = PORT if address.port is None else address.port
    return LiveSource(
        UdpEndpoint(address.host, port),
        MocopiDecoder(),
        expected=Expectations.of(address),
        remedies=Remedies(
            "mocopi (UDP)",
            f"In the mocopi app: Settings, PC connection: this machine's address, port {port}, format mocopi (UDP), "
            "then the send button in motion view; phone and PC in the same network, which must let clients see one "
            f"another; let UDP {port} through the firewall",
        ),
        mapping=mapping,
    )
