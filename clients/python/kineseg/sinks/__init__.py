"""Sinks: events as other systems take them, at least once, whatever becomes of them or of this process.

    async with kineseg.sinks.Relay([kineseg.sinks.open_sink("jsonl:events.jsonl")], None, print) as relay:
        relay.take([kineseg.sinks.SinkEvent(event.to_dict(), "line-3")])

Needs the plain install, and for some sinks an extra of their own; docs/sinks says which there are.
"""

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.delivery import Counts
from kineseg.sinks.errors import Refused, Retry, SinkError
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.registry import open_sink, schemes
from kineseg.sinks.relay import Relay
from kineseg.sinks.sink import Sink, StandingSink
from kineseg.sinks.terms import Terms

__all__ = [
    "Counts",
    "Refused",
    "Relay",
    "Retry",
    "Sink",
    "SinkAddress",
    "SinkError",
    "SinkEvent",
    "StandingSink",
    "Terms",
    "open_sink",
    "schemes",
]
