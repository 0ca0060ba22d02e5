"""The engine's side of an open stream, and what waits in its queue."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from kineseg_core.inference.decoder import Decoder, Lease
from kineseg_core.intake.intake import Taken
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.session import End, SegmentCounts, Session

from kineseg_service.scheduler.lanes import Lane

Item = Taken | End


@dataclass(slots=True, eq=False)
class ScheduledStream:
    """The engine's side of an open stream. Others may read `produced` and `passed`, write `written`, and nothing else.

    Attributes:
        session: What decides.
        lease: The slot of its model's state; none once it has been given back.
        queue: What waits to go through, each with the number of its arrival.
        at: How many frames of the queue's first block have been stepped.
        passed: How much of what was submitted has gone through, by `weight`.
        produced: How many outputs it has given.
        written: How many of them its client has taken.
        stalled: It waits for its client to take some.
        queued: It stands in the batcher.
        counted: What of its session's segment counts the metrics have.
        window: When it last sent something, see `Pace.saw`.
    """

    session: Session
    lane: Lane[ScheduledStream]
    lease: Lease | None
    queue: deque[tuple[int, Item]] = field(default_factory=deque)
    at: int = 0
    passed: int = 0
    produced: int = 0
    written: int = 0
    stalled: bool = False
    queued: bool = False
    counted: SegmentCounts = field(default_factory=SegmentCounts)
    window: int = -1

    @property
    def block(self) -> ModelFrames:
        """What comes next, where that is frames of the model."""
        block = self.queue[0][1]
        assert isinstance(block, ModelFrames)
        return block

    @property
    def slot(self) -> int:
        """Of its model's state, while it has one."""
        assert self.lease is not None
        return self.lease.slot

    @property
    def decoder(self) -> Decoder:
        """What steps it."""
        return self.lane.decoder


def weight(item: Item) -> int:
    """How much an item counts in a queue: a frame of the model as one, and anything else as one, too."""
    return len(item.decided) if isinstance(item, ModelFrames) else 1
