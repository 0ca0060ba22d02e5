"""Which scheme is which twin; imported on use, and open to other packages."""

from __future__ import annotations

from kineseg._schemes import Schemes
from kineseg.sources.address import SourceAddress
from kineseg.sources.errors import SourceError
from kineseg.sources.frames import SourceInfo
from kineseg.sources.registry import EXTRAS
from kineseg.sources.twins.sender import Twin

GROUP = "kineseg.twins"
"""Entry points of other packages: a scheme = "module:factory", called with a `SourceAddress` and a `SourceInfo`."""

_OURS = {
    "lsl": "kineseg.sources.twins.lsl:sending",
    "mocopi": "kineseg.sources.twins.mocopi:sending",
    "mqtt": "kineseg.sources.twins.mqtt:sending",
    "mqtts": "kineseg.sources.twins.mqtt:sending",
    "mvn": "kineseg.sources.twins.mvn:sending",
    "natnet": "kineseg.sources.twins.natnet:sending",
    "nats": "kineseg.sources.twins.nats:sending",
    "nats+tls": "kineseg.sources.twins.nats:sending",
    "ndjson+tcp": "kineseg.sources.twins.ndjson:listening",
    "ndjson+tcp-listen": "kineseg.sources.twins.ndjson:connecting",
    "ndjson+udp": "kineseg.sources.twins.ndjson:sending",
    "neuron": "kineseg.sources.twins.neuron:sending",
    "neuron+tcp": "kineseg.sources.twins.neuron:sending",
    "qtm": "kineseg.sources.twins.qtm:sending",
    "rokoko": "kineseg.sources.twins.rokoko:sending",
    "vicon": "kineseg.sources.twins.vicon:sending",
    "vmc": "kineseg.sources.twins.vmc:sending",
}
_SCHEMES = Schemes("twin", GROUP, _OURS, EXTRAS, SourceError)


def twin_schemes() -> tuple[str, ...]:
    """The schemes there are, ours and those of other packages."""
    return _SCHEMES.names()


def open_twin(url: str, info: SourceInfo) -> Twin:
    """A twin that sends to what a source with the same URL hears, to be entered with ``async with``.

    Args:
        url: As for `kineseg.sources.open_source`, such as ``"vmc://127.0.0.1:39539"``.
        info: What the frames are.

    Raises:
        SourceError: It is no such URL, a package is missing, or the protocol cannot carry such frames.
    """
    address = SourceAddress.parse(url)
    twin: Twin = _SCHEMES.factory(address.scheme)(address, info)
    return twin
