"""Lines of JSON, as whoever writes an adapter of their own would send them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg.sources.address import SourceAddress
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import Layout, SourceInfo
from kineseg.sources.ndjson import NdjsonEncoder
from kineseg.sources.twins.sender import ConnectingTwin, ListeningTwin, Twin, UdpTwin


class LinesEncoder:
    """Makes lines of JSON.

    Args:
        info: What the frames are.
    """

    def __init__(self, info: SourceInfo) -> None:
        self._lines = NdjsonEncoder(Layout(info.joints, info.channels, rate=info.rate), info.performer)

    def describe(self) -> list[bytes]:
        """What the numbers are."""
        return [self._lines.header()]

    def frame(self, values: NDArray[np.float32], number: int, time_s: float) -> list[bytes]:
        """One frame."""
        return [self._lines.frame(values, number, time_s)]


def sending(address: SourceAddress, info: SourceInfo) -> Twin:
    """``ndjson+udp://HOST:PORT``."""
    return UdpTwin(address.host, _port(address), LinesEncoder(info))


def listening(address: SourceAddress, info: SourceInfo) -> Twin:
    """``ndjson+tcp://HOST:PORT``: the source connects."""
    return ListeningTwin(address.host, _port(address), LinesEncoder(info))


def connecting(address: SourceAddress, info: SourceInfo) -> Twin:
    """``ndjson+tcp-listen://HOST:PORT``: the source listens."""
    return ConnectingTwin(address.host, _port(address), LinesEncoder(info))


def _port(address: SourceAddress) -> int:
    if address.port is None:
        raise SourceError(f"{address.url}: name the port, as in {address.scheme}://127.0.0.1:9000")
    return address.port
