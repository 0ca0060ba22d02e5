"""``lsl:NAME``: markers of the Lab Streaming Layer, at the times that events are about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pylsl

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.alarm import time_of
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.sink import Sink
from kineseg.sinks.terms import Terms

_USUAL = "kineseg"


class Markers:
    """An outlet of markers. There is no receipt: an event is lost for who is not there when it is pushed.

    Args:
        address: Names the outlet; option ``format``.

    Raises:
        SinkError: An option cannot be used.
    """

    linger_s = 0.0

    def __init__(self, address: SinkAddress) -> None:
        address.check_options(["format"])
        self._as_json = address.choice("format", ("json", "text")) == "json"
        name = address.path or _USUAL
        self.terms = Terms.of(address, batch=100)
        self.where = f"LSL markers {name}"
        info = pylsl.StreamInfo(name, "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"kineseg-{name}")
        self._outlet = pylsl.StreamOutlet(info)  # at once, so that it is found before there is anything to say

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """See `Sink`."""
        now, here = datetime.now(UTC), pylsl.local_clock()
        for event in events:
            ago_s = (now - time_of(event, event.values["time_s"])).total_seconds()
            self._outlet.push_sample([event.json if self._as_json else _text(event)], here - ago_s)

    async def close(self) -> None:
        """Nothing to do: who listens goes on listening."""


def _text(event: SinkEvent) -> str:
    values = event.values
    about = values.get("text") or values.get("name") or (f"label {values['label']}" if "label" in values else "")
    return " ".join(filter(None, (event.session_id, event.kind, about)))


def open_lsl(address: SinkAddress) -> Sink:
    """``lsl:NAME``."""
    return Markers(address)
