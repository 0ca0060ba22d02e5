"""A sender of Sony mocopi's datagrams."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.address import SourceAddress
from kineseg.sources.frames import SourceInfo
from kineseg.sources.mocopi import BONES, PORT
from kineseg.sources.twins.bodies import BodyAs
from kineseg.sources.twins.sender import Twin, UdpTwin

_NAMES = {
    **{"hips": "root", "spine": "torso_3", "chest": "torso_7", "neck": "neck_1", "head": "head"},
    **{
        f"{side}_{joint}": f"{side[0]}_{name}"
        for side in ("left", "right")
        for joint, name in (
            *(("shoulder", "up_arm"), ("elbow", "low_arm"), ("wrist", "hand"), ("hip", "up_leg")),
            *(("knee", "low_leg"), ("ankle", "foot"), ("toe", "toes")),
        )
    },
}
_ORDER = tuple(name for name, _ in BONES)


class MocopiEncoder:
    """Makes datagrams of mocopi; bones that the recording lacks lie where the bone above does.

    Args:
        info: What the frames are.
    """

    def __init__(self, info: SourceInfo) -> None:
        self._body = BodyAs(info, _NAMES, _ORDER, "y")

    def describe(self) -> list[bytes]:
        """The skeleton, as the app repeats it."""
        bones = b"".join(
            _entry(
                "bndt",
                _entry("bnid", struct.pack("<H", at))
                + _entry("pbid", struct.pack("<H", max(0, parent)))
                + _entry("tran", struct.pack("<7f", 0, 0, 0, 1, 0, 0, 0)),
            )
            for at, (_, parent) in enumerate(BONES)
        )
        return [_head() + _entry("skdf", _entry("bons", bones))]

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> list[bytes]:
        """One frame."""
        known = dict(zip(self._body.names, self._body.positions(values), strict=True))
        world: list[NDArray[np.float64]] = []
        bones = b""
        for at, (name, parent) in enumerate(BONES):
            above = world[parent] if parent >= 0 else np.zeros(3)
            world.append(known.get(name, above))
            local = world[at] - above
            if np.isfinite(local).all():
                tran = struct.pack("<7f", 0, 0, 0, 1, *local)
                bones += _entry("btdt", _entry("bnid", struct.pack("<H", at)) + _entry("tran", tran))
        frame = _entry("fnum", struct.pack("<I", number)) + _entry("time", struct.pack("<I", round(time_s * 1000)))
        return [_head() + _entry("fram", frame + _entry("btrs", bones))]


def _entry(name: str, content: bytes) -> bytes:
    return struct.pack("<I4s", len(content), name.encode()) + content


def _head() -> bytes:
    head = _entry("ftyp", b"sony motion format") + _entry("vrsn", b"\x01")
    sender = _entry("ipad", bytes(8)) + _entry("rcvp", struct.pack("<H", PORT))
    return _entry("head", head) + _entry("sndf", sender)


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``mocopi://HOST:PORT``."""
    return UdpTwin(address.host, PORT if address.port is None else address.port, MocopiEncoder(info))
