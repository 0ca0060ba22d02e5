"""What streams have given since the last hand-over to the event loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kineseg_core.errors import CoreError
from kineseg_core.events import Output, Summary

from kineseg_service.scheduler.scheduled import ScheduledStream


@dataclass(slots=True)
class Delivery:
    """What a stream has given since its last delivery; nothing changes once it has been handed over.

    Attributes:
        stream: Which.
        outputs: In order.
        passed: How much of what was submitted has gone through in all, by `weight`.
        came: When that came from which the first of it follows, by `time.monotonic`.
        summary: There when it has come to its end.
        error: There when it has failed.
    """

    stream: ScheduledStream
    outputs: list[Output]
    passed: int
    came: float = 0.0
    summary: Summary | None = None
    error: CoreError | None = None


class Outbox:
    """The deliveries of the next hand-over, one a stream."""

    def __init__(self) -> None:
        self._deliveries: dict[ScheduledStream, Delivery] = {}

    def __bool__(self) -> bool:
        return bool(self._deliveries)

    def give(self, stream: ScheduledStream, outputs: Sequence[Output], summary: Summary | None = None) -> None:
        """A stream has got further."""
        stream.produced += len(outputs)
        delivery = self._of(stream)
        delivery.outputs += outputs
        delivery.passed, delivery.summary = stream.passed, summary

    def fail(self, stream: ScheduledStream, error: CoreError) -> None:
        """A stream has failed."""
        delivery = self._of(stream)
        delivery.passed, delivery.error = stream.passed, error

    def drop(self, stream: ScheduledStream) -> None:
        """No one wants what a stream has given."""
        self._deliveries.pop(stream, None)

    def take(self) -> list[Delivery]:
        """Takes them all."""
        deliveries = list(self._deliveries.values())
        self._deliveries.clear()
        return deliveries

    def _of(self, stream: ScheduledStream) -> Delivery:
        delivery = self._deliveries.get(stream)
        if delivery is None:
            delivery = self._deliveries[stream] = Delivery(stream, [], stream.passed, stream.came)
        return delivery
