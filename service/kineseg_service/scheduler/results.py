"""What streams have given: it is handed to the event loop in bundles, and counted."""

from __future__ import annotations

import time
from collections.abc import Callable

from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.deliveries import HandOver, Outbox
from kineseg_service.scheduler.scheduled import ScheduledStream

# Results are handed over once all has gone through of streams that are not ahead of their own time, and at least this
# often.
_FLUSH_S = 0.003


def _drop(hand_over: HandOver) -> None:
    """Where what streams give goes before anyone wants them."""


class Results:
    """What has been given since the last hand-over.

    Args:
        metrics: Where segments are counted.

    Attributes:
        deliver: Is given it; it must not block.
        acknowledge, give, fail, keep: See `Outbox`.
    """

    def __init__(self, metrics: Metrics) -> None:
        self.deliver: Callable[[HandOver], None] = _drop
        self._metrics = metrics
        self._outbox = outbox = Outbox(self.flush)
        self.acknowledge, self.give, self.fail, self.keep = outbox.acknowledge, outbox.give, outbox.fail, outbox.keep
        self._flushed = 0.0

    @property
    def overdue(self) -> bool:
        """The last hand-over was too long ago."""
        return time.monotonic() - self._flushed > _FLUSH_S

    def flush(self) -> None:
        """Hands all of it over."""
        self._flushed = time.monotonic()
        if self._outbox:
            hand_over = self._outbox.take()
            self.deliver(hand_over)
            for delivery in hand_over.deliveries:
                self.count(delivery.stream)

    def drop(self, stream: ScheduledStream) -> None:
        """No one wants what a stream has given."""
        self.count(stream)
        self._outbox.drop(stream)

    def count(self, stream: ScheduledStream) -> None:
        """Counts a stream's segments."""
        counts, before = stream.session.segment_counts, stream.counted
        if counts is not before:
            stream.counted = counts
            with harmless("metrics"):
                self._metrics.segments(
                    provisional=counts.provisional - before.provisional,
                    confirmed=counts.confirmed - before.confirmed,
                    retracted=counts.retracted - before.retracted,
                )
