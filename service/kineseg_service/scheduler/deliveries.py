"""What streams have given, for the next hand-over to the event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kineseg_core.errors import CoreError
from kineseg_core.events import Ack, Output, Summary
from kineseg_core.kept.sealing import Pieces

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


Through = tuple[ScheduledStream, int, int]
"""A chunk has gone through, and an acknowledgement is all that has come of it since the last hand-over: whose, the
index after its last frame, and how much has gone through in all, see `Delivery`."""


Snapshotted = tuple[Callable[[Pieces], None], Pieces]
"""A snapshot, and who wants it, see `Keep`."""


class HandOver(NamedTuple):
    """What is handed over at once: first the chunks, in order, then the deliveries, one a stream, and then snapshots,
    of streams that have given nothing since that is in it."""

    through: list[Through]
    deliveries: list[Delivery]
    snapshots: list[Snapshotted]


class Outbox:
    """What is in the next hand-over.

    Args:
        send: Hands over what is there: nothing is given after snapshots.
    """

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._through: list[Through] = []
        self._deliveries: dict[ScheduledStream, Delivery] = {}
        self._snapshots: list[Snapshotted] = []

    def __bool__(self) -> bool:
        return bool(self._through) or bool(self._deliveries) or bool(self._snapshots)

    def acknowledge(self, chunks: Sequence[Through]) -> None:
        """Chunks have gone through that were taken together with others; up to their ends all has been given."""
        if self._snapshots:
            self._send()
        if not self._deliveries:
            self._through += chunks
            return
        for through in chunks:
            stream, frames, _ = through
            if stream in self._deliveries:
                self.give(stream, (Ack(frames),))
            else:
                self._through.append(through)

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

    def keep(self, snapshot: Snapshotted) -> None:
        """A stream has been written down as it is now."""
        self._snapshots.append(snapshot)

    def drop(self, stream: ScheduledStream) -> None:
        """No one wants what a stream has given."""
        self._deliveries.pop(stream, None)

    def take(self) -> HandOver:
        """Takes it all."""
        all_of_it = HandOver(self._through, list(self._deliveries.values()), self._snapshots)
        self._through, self._snapshots = [], []
        self._deliveries.clear()
        return all_of_it

    def _of(self, stream: ScheduledStream) -> Delivery:
        if self._snapshots:
            self._send()
        delivery = self._deliveries.get(stream)
        if delivery is None:
            delivery = self._deliveries[stream] = Delivery(stream, [], stream.passed, stream.came)
        return delivery
