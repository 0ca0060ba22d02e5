"""What a sink is: it takes events, and lets go of its connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol, runtime_checkable

from kineseg.sinks.event import SinkEvent
from kineseg.sinks.terms import Terms


class Sink(Protocol):
    """Takes events. Whoever delivers retries, waits and keeps count: a sink need not, and does one thing at a time.

    Attributes:
        terms: Which events it takes, and how many at once.
        linger_s: So long it is waited until there are as many events as it takes at once; 0: not at all.
    """

    terms: Terms
    linger_s: float

    @property
    def where(self) -> str:
        """Where events go to, for people."""

    async def deliver(self, events: Sequence[SinkEvent]) -> None:
        """Deliver events in their order, and return once they are safe there; connects if there is no connection.

        Raises:
            Retry: They were not taken, or no one knows. So does any other error.
            Refused: One of them will never be taken.
        """

    async def close(self) -> None:
        """Let go of the connection; the next delivery makes another one."""


@runtime_checkable
class StandingSink(Sink, Protocol):
    """A sink that holds something up between events, such as alerts that go on: what stands outlives this process.

    Attributes:
        keep_alive_s: How often `keep_alive` is called while there is nothing to deliver.
    """

    keep_alive_s: float

    def state(self) -> dict[str, Any]:
        """What stands, in plain values; it is kept together with what has been delivered."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what stood."""

    async def keep_alive(self) -> None:
        """Say again what stands. Raises as `deliver`."""

    def streams(self) -> Collection[str]:
        """Of which streams something stands."""

    def streams_ended(self, streams: Collection[str]) -> None:
        """What stands of these will never be ended by an event of theirs; `keep_alive` is next, and ends it."""
