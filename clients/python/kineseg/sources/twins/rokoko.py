"""A sender of Rokoko Studio's JSON v3."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.address import SourceAddress
from kineseg.sources.frames import SourceInfo
from kineseg.sources.rokoko import JOINTS, PORT
from kineseg.sources.twins.bodies import BodyAs
from kineseg.sources.twins.sender import Twin, UdpTwin

_NAMES = {
    **{"hips": "hip", "spine": "spine", "chest": "chest", "neck": "neck", "head": "head"},
    **{
        f"{side}_{joint}": f"{side}{name}"
        for side in ("left", "right")
        for joint, name in (
            *(("shoulder", "UpperArm"), ("elbow", "LowerArm"), ("wrist", "Hand"), ("hip", "UpLeg")),
            *(("knee", "Leg"), ("ankle", "Foot"), ("toe", "Toe")),
        )
    },
}
_UNTURNED = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}


class RokokoEncoder:
    """Makes datagrams of Rokoko Studio.

    Args:
        info: What the frames are.
        packed: Whether by LZ4, as the software does unless set otherwise.
    """

    def __init__(self, info: SourceInfo, *, packed: bool) -> None:
        self._body = BodyAs(info, _NAMES, JOINTS, "y")
        self._rate = info.rate
        self._packed = packed

    def describe(self) -> list[bytes]:
        """Frames say it all."""
        return []

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> list[bytes]:
        """One frame."""
        body = {
            name: {"position": dict(zip("xyz", (-point[0], point[1], point[2]), strict=True)), "rotation": _UNTURNED}
            for name, point in zip(self._body.names, self._body.positions(values).tolist(), strict=True)
            if np.isfinite(point).all()
        }
        actor = {"name": "twin", "meta": {"hasBody": True}, "body": body}
        scene = {"timestamp": round(time_s, 6), "actors": [actor], "props": []}
        said = json.dumps({"version": "3,0", "fps": self._rate, "scene": scene}, separators=(",", ":")).encode()
        if not self._packed:
            return [said]
        from lz4 import frame

        return [frame.compress(said)]


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``rokoko://HOST:PORT?packed=false``."""
    packed = address.choice("packed", ("true", "false"), "true") == "true"
    return UdpTwin(address.host, PORT if address.port is None else address.port, RokokoEncoder(info, packed=packed))
