"""A sender of Vicon Tracker's UDP object stream, with an object for each joint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.address import SourceAddress
from kineseg.sources.frames import SourceInfo
from kineseg.sources.twins.bodies import BodyAs, unity_names
from kineseg.sources.twins.sender import Twin, UdpTwin
from kineseg.sources.vicon import HEAD, ITEM, OBJECT, OBJECT_SIZE, PORT

_BLOCK = 1024  # bytes of a datagram, the largest that can be set
_OBJECTS = (_BLOCK - HEAD.size) // ITEM.size  # that fit
_UNSEEN = (0.0, 0.0, 0.0)


class ViconEncoder:
    """Makes datagrams of Tracker; objects do not turn.

    Args:
        info: What the frames are.
    """

    def __init__(self, info: SourceInfo) -> None:
        names = unity_names()
        self._body = BodyAs(info, names, tuple(names.values()), "z")

    def describe(self) -> list[bytes]:
        """Frames say it all."""
        return []

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> list[bytes]:
        """One frame, in several datagrams of one size."""
        items = [
            ITEM.pack(
                OBJECT, OBJECT_SIZE, name.encode(), *(place if np.isfinite(place).all() else _UNSEEN), 0.0, 0.0, 0.0
            )
            for name, place in zip(self._body.names, self._body.positions(values) * 1000.0, strict=True)
        ]
        pieces = [items[first : first + _OBJECTS] for first in range(0, len(items), _OBJECTS)]
        return [(HEAD.pack(number % (1 << 32), len(piece)) + b"".join(piece)).ljust(_BLOCK, b"\0") for piece in pieces]


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``vicon://HOST:PORT``."""
    return UdpTwin(address.host, PORT if address.port is None else address.port, ViconEncoder(info))
