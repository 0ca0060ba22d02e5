"""A sender of Perception Neuron's BVH stream, with displacements."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.address import SourceAddress
from kineseg.sources.frames import SourceInfo
from kineseg.sources.neuron import BONES, END_MARK, HEADER, MARK, N_BONES, PARENTS, PORT, TCP_PORT
from kineseg.sources.twins.bodies import BodyAs, unity_names
from kineseg.sources.twins.sender import ListeningTwin, Twin, UdpTwin

_VERSION = 0x01010000
_NAMES = {unity: name for _, name, unity in BONES} | {"UpperChest": "Spine1", "Chest": "Spine3"}


class NeuronEncoder:
    """Makes packets of Axis; no bone turns, and those that the recording lacks lie where the bone above does.

    Args:
        info: What the frames are.
    """

    def __init__(self, info: SourceInfo) -> None:
        names = {joint: _NAMES[bone] for joint, bone in unity_names().items() if bone in _NAMES}
        self._body = BodyAs(info, names, tuple(name for _, name, _ in BONES), "y")

    def describe(self) -> list[bytes]:
        """Frames say it all."""
        return []

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> list[bytes]:
        """One frame."""
        known = dict(zip(self._body.names, self._body.positions(values) * 100.0, strict=True))
        numbers = np.zeros((N_BONES, 2, 3), "<f4")
        world: list[NDArray[np.float64]] = []
        for (bone, name, _), parent in zip(BONES, PARENTS, strict=True):
            above = world[parent] if parent >= 0 else np.zeros(3)
            world.append(known.get(name, above))
            numbers[bone, 0] = world[-1] - above
        header = HEADER.pack(MARK, _VERSION, numbers.size, 1, 0, 0, b"twin", number % (1 << 32), 0, 0, 0, END_MARK)
        return [header + numbers.tobytes()]


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``neuron://HOST:PORT``: sends; ``neuron+tcp://HOST:PORT``: the source connects."""
    if address.scheme == "neuron+tcp":
        return ListeningTwin(address.host, address.port or TCP_PORT, NeuronEncoder(info))
    return UdpTwin(address.host, PORT if address.port is None else address.port, NeuronEncoder(info))
