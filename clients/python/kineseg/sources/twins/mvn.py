"""A sender of Xsens MVN's poses by quaternions (type 02)."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.address import SourceAddress
from kineseg.sources.frames import SourceInfo
from kineseg.sources.mvn import HEADER, PORT, SEGMENTS
from kineseg.sources.twins.bodies import BodyAs
from kineseg.sources.twins.sender import Twin, UdpTwin

_SEGMENT = struct.Struct(">I7f")
_DAY_MS = 86_400_000
_NAMES = {
    **{"hips": "Pelvis", "spine": "L3", "chest": "T8", "neck": "Neck", "head": "Head"},
    **{
        f"{side}_{joint}": f"{side.title()}{segment}"
        for side in ("left", "right")
        for joint, segment in (
            *(("shoulder", "UpperArm"), ("elbow", "Forearm"), ("wrist", "Hand"), ("hip", "UpperLeg")),
            *(("knee", "LowerLeg"), ("ankle", "Foot"), ("toe", "Toe")),
        )
    },
}


class MvnEncoder:
    """Makes datagrams of MVN; segments that the recording lacks are left out.

    Args:
        info: What the frames are.
        start_ms: Of the day, when it begins.
    """

    def __init__(self, info: SourceInfo, start_ms: int = 43_200_000) -> None:
        self._body = BodyAs(info, _NAMES, SEGMENTS, "z")
        self._start_ms = start_ms

    def describe(self) -> list[bytes]:
        """Frames say it all."""
        return []

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> list[bytes]:
        """One frame."""
        points = self._body.positions(values)
        segments = b"".join(
            _SEGMENT.pack(SEGMENTS.index(name) + 1, *point, 1.0, 0.0, 0.0, 0.0)
            for name, point in zip(self._body.names, points, strict=True)
            if np.isfinite(point).all()
        )
        count = len(segments) // _SEGMENT.size
        stamp = (self._start_ms + round(time_s * 1000)) % _DAY_MS
        header = HEADER.pack(b"MXTP02", number % (1 << 32), 0x80, count, stamp, 0, count, 0, 0, 0, len(segments))
        return [header + segments]


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``mvn://HOST:PORT``."""
    return UdpTwin(address.host, PORT if address.port is None else address.port, MvnEncoder(info))
