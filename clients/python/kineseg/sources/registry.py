"""Which scheme is which source; imported on use, and open to other packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from kineseg._schemes import Schemes
from kineseg.sources.address import SourceAddress
from kineseg.sources.errors import SourceError
from kineseg.sources.source import Source

Factory: TypeAlias = Callable[[SourceAddress, Mapping[str, str]], Source]
"""Makes a source of an address and a mapping of joints; raises SourceError."""

GROUP = "kineseg.sources"
"""Entry points of other packages: a scheme = "module:factory"."""

_OURS = {
    "-": "kineseg.sources.ndjson:from_input",
    "exec": "kineseg.sources.ndjson:from_command",
    "file": "kineseg.sources.file:open_file",
    "lsl": "kineseg.sources.lsl:open_lsl",
    "mocopi": "kineseg.sources.mocopi:open_mocopi",
    "mqtt": "kineseg.sources.mqtt:open_mqtt",
    "mqtts": "kineseg.sources.mqtt:open_mqtt",
    "mvn": "kineseg.sources.mvn:open_mvn",
    "natnet": "kineseg.sources.natnet:open_natnet",
    "nats": "kineseg.sources.nats:open_nats",
    "nats+tls": "kineseg.sources.nats:open_nats",
    "ndjson+tcp": "kineseg.sources.ndjson:from_tcp",
    "ndjson+tcp-listen": "kineseg.sources.ndjson:from_tcp",
    "ndjson+udp": "kineseg.sources.ndjson:from_udp",
    "neuron": "kineseg.sources.neuron:open_neuron",
    "neuron+tcp": "kineseg.sources.neuron:open_neuron",
    "qtm": "kineseg.sources.qtm:open_qtm",
    "rokoko": "kineseg.sources.rokoko:open_rokoko",
    "vicon": "kineseg.sources.vicon:open_vicon",
    "vmc": "kineseg.sources.vmc:open_vmc",
}
# Our schemes that need more than the plain install: the extra that brings it.
EXTRAS = {
    **{scheme: scheme for scheme in ("lsl", "mqtt", "nats", "qtm", "rokoko", "vmc")},
    **{"mqtts": "mqtt", "nats+tls": "nats"},
}
_SCHEMES = Schemes("source", GROUP, _OURS, EXTRAS, SourceError)


def schemes() -> tuple[str, ...]:
    """The schemes there are, ours and those of other packages."""
    return _SCHEMES.names()


def open_source(url: str, *, mapping: Mapping[str, str] | None = None) -> Source:
    """A source by its URL, to be entered with ``async with``; docs/sources says which there are.

    Args:
        url: Such as ``"vmc://0.0.0.0:39539"``, ``"ndjson+udp://0.0.0.0:9000"``, ``"exec:python camera.py"``,
            ``"file:take.bvh"``, ``"-"``.
        mapping: Canonical joint -> name of the joint, for names that are not recognised.

    Raises:
        SourceError: It is no such URL, an option cannot be used, or a package is missing; says what helps.
    """
    address = SourceAddress.parse(url)
    factory: Factory = _SCHEMES.factory(address.scheme)
    return factory(address, mapping or {})
