"""``cloudevents+https://…``: CloudEvents 1.0 over HTTP, one in a request or many."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.http import OPTIONS, PREFIXES, HttpTarget
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms

SCHEMA_URL = "https://github.com/kineseg/kineseg/blob/main/clients/python/kineseg/schemas/event.schema.json"
_ONE, _MANY = "application/cloudevents+json", "application/cloudevents-batch+json"


class CloudEvents:
    """Posts them.

    Args:
        address: Where to; options ``mode`` and ``source``, and those of `HttpTarget`.

    Raises:
        SinkError: An option cannot be used.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(["mode", "source", *OPTIONS], PREFIXES)
        self._many = address.choice("mode", ("structured", "batch")) == "batch"
        self._source = address.text("source", "/kineseg")
        self._target = HttpTarget(address)
        self.terms = Terms.of(address, batch=100 if self._many else 1)
        self.where = self._target.where

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        if self._many:
            # The id is that of these events together: a receiver may pass over an id that it has seen.
            together = str(uuid5(NAMESPACE_URL, " ".join(event.id for event in events)))
            await self._post([self._envelope(event) for event in events], _MANY, together)
            return
        for event in events:
            await self._post(self._envelope(event), _ONE, event.id)

    async def close(self) -> None:
        """See `Sink`."""
        await self._target.close()

    async def _post(self, what: Any, content_type: str, message_id: str) -> None:
        await self._target.post(json.dumps(what, allow_nan=False).encode(), content_type, message_id=message_id)

    def _envelope(self, event: SinkEvent) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": event.id,
            "source": self._source,
            "type": f"kineseg.{event.kind}",
            "subject": event.session_id,
            "time": event.emitted_at,
            "datacontenttype": "application/json",
            "dataschema": SCHEMA_URL,
            "partitionkey": event.stream_id,
            "data": event.flat,
        }


def open_cloudevents(address: SinkAddress) -> Sink:
    """``cloudevents+https://HOST/PATH``, or ``cloudevents+http``."""
    return CloudEvents(address)
