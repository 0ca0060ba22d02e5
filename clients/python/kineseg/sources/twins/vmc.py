"""A sender of VMC."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from kineseg.sources.address import SourceAddress
from kineseg.sources.frames import SourceInfo
from kineseg.sources.local_bones import Quaternion, Vector, rotated
from kineseg.sources.twins.bodies import BodyAs, unity_names
from kineseg.sources.twins.sender import Twin, UdpTwin
from kineseg.sources.unity_body import PARENTS
from kineseg.sources.vmc import PORT

_BONES_A_BUNDLE = 16  # of about 80 bytes, so that a bundle fits into a packet of the network


class VmcEncoder:
    """Makes datagrams of VMC: the hips turn as the body faces, other bones do not turn.

    Args:
        info: What the frames are.
    """

    def __init__(self, info: SourceInfo) -> None:
        self._body = BodyAs(info, unity_names(), tuple(PARENTS), "y")
        names = self._body.names
        self._above: list[int] = []
        for name in names:
            above = PARENTS[name]
            while above and above not in names:
                above = PARENTS[above]
            self._above.append(names.index(above) if above else -1)

    def describe(self) -> list[bytes]:
        """Frames say it all."""
        return []

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> list[bytes]:
        """One frame, in several bundles."""
        points = self._body.positions(values)
        points[:, 0] *= -1.0  # Unity's axes are left-handed
        turn = self._facing(points)
        back: Quaternion = (-turn[0], -turn[1], -turn[2], turn[3])
        bundles = [_bundle([_message("/VMC/Ext/OK", 1), _message("/VMC/Ext/T", float(time_s)), _root()])]
        messages = []
        for at, (name, above) in enumerate(zip(self._body.names, self._above, strict=True)):
            place: Vector = tuple(points[at] - (points[above] if above >= 0 else 0.0))
            if above >= 0:
                place = rotated(back, place)
            if not np.isfinite(place).all():
                continue  # not seen
            rotation = turn if above < 0 else (0.0, 0.0, 0.0, 1.0)
            messages.append(_message("/VMC/Ext/Bone/Pos", name, *map(float, place), *map(float, rotation)))
        starts = range(0, len(messages), _BONES_A_BUNDLE)
        return [*bundles, *(_bundle(messages[first : first + _BONES_A_BUNDLE]) for first in starts)]

    def _facing(self, points: NDArray[np.float64]) -> Quaternion:
        names = self._body.names
        if "LeftUpperLeg" not in names or "RightUpperLeg" not in names:
            return 0.0, 0.0, 0.0, 1.0
        across = points[names.index("RightUpperLeg")] - points[names.index("LeftUpperLeg")]
        angle = math.atan2(-across[2], across[0])
        if not math.isfinite(angle):
            angle = 0.0
        return 0.0, math.sin(angle / 2), 0.0, math.cos(angle / 2)


def _root() -> OscMessageBuilder:
    return _message("/VMC/Ext/Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def _message(address: str, *values: object) -> OscMessageBuilder:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)  # type: ignore[arg-type]
    return builder


def _bundle(messages: list[OscMessageBuilder]) -> bytes:
    builder = OscBundleBuilder(IMMEDIATELY)
    for message in messages:
        builder.add_content(message.build())
    return bytes(builder.build().dgram)


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``vmc://HOST:PORT``."""
    return UdpTwin(address.host, PORT if address.port is None else address.port, VmcEncoder(info))
