"""``osc://HOST:PORT/PREFIX``: messages of Open Sound Control, for stages and games."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from pythonosc.osc_message_builder import OscMessageBuilder

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.errors import SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms

_USUAL = "/kineseg"
_RESERVED = re.compile(r"[\s#*,/?\[\]{}]")
ARGUMENTS = {
    "segment": (("segment_id", "i", 0), ("label", "i", 0), ("name", "s", "")),
    "labels": (("label", "i", 0), ("into", "i", 0)),
    "anomaly": (("anomaly_id", "i", 0), ("anomaly_kind", "s", ""), ("text", "s", ""), ("severity", "f", 0.0)),
}
"""What messages carry after the time of the event in seconds, by the first word of the kind."""


class Osc:
    """Sends datagrams. There is no receipt: what is lost on the way is lost.

    Args:
        address: Of who listens.

    Raises:
        SinkError: It has no port.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options([])
        if not address.host or address.port is None:
            raise SinkError(f"{address.where}: name a host and a port, such as osc://127.0.0.1:9000")
        self._to = (address.host, address.port)
        self._prefix = address.path.rstrip("/") or _USUAL
        self._transport: asyncio.DatagramTransport | None = None
        self.terms = Terms.of(address, batch=20)
        self.where = address.where

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        if self._transport is None:
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=self._to)
        for event in events:
            self._transport.sendto(self._message(event))

    async def close(self) -> None:
        """See `Sink`."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _message(self, event: SinkEvent) -> bytes:
        session = _RESERVED.sub("_", event.session_id)
        builder = OscMessageBuilder(f"{self._prefix}/{session}/{event.kind}")
        builder.add_arg(float(event.values["time_s"]), "f")
        for key, kind, otherwise in ARGUMENTS.get(event.kind.partition("_")[0], ()):
            builder.add_arg(event.values.get(key, otherwise), kind)
        return builder.build().dgram


def open_osc(address: SinkAddress) -> Sink:
    """``osc://HOST:PORT/PREFIX``."""
    return Osc(address)
