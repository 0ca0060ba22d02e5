"""The engine's side of an open stream, and what waits in its queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from kineseg_core.inference.decoder import Decoder, Lease
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, Taken
from kineseg_core.kept.sealing import Pieces
from kineseg_core.session import End, SegmentCounts, Session
from kineseg_core.snapshot import Received, SnapshotWriter

from kineseg_service.scheduler.chunk_queue import SentChunks
from kineseg_service.scheduler.lanes import Lane


@dataclass(frozen=True, slots=True)
class Keep:
    """A snapshot is wanted of a stream as it is here, between two of its chunks. It takes no room in a queue.

    Attributes:
        writer: Writes it.
        received: What the receiving half knew here.
        then: Is called with it where results go, once all has been delivered that the stream had given by then.
    """

    writer: SnapshotWriter
    received: Received
    then: Callable[[Pieces], None]


Item = Taken | End | Keep
NO_FRAMES = ModelFrames(np.zeros((0, 0), np.float32), [], [], [], [])
"""Nothing comes next."""


@dataclass(slots=True, eq=False)
class ScheduledStream:
    """The engine's side of an open stream. Others may read `produced` and `passed`, write `written` and `ahead`, and
    nothing else.

    Attributes:
        session: What decides.
        lease: The slot of its model's state; none once it has been given back.
        queue: What waits to go through, each with the number of its arrival, and when it came, by `time.monotonic`.
        block: What comes next, while `queued`; kept no longer, as it may hold those of all that came with it.
        at: How many of its frames have been stepped.
        came: When that came which is going through.
        passed: How much of what was submitted has gone through, by `weight`.
        produced: How many outputs it has given.
        written: How many of them its client has taken.
        ahead: It is ahead of its own time, and others step before it.
        stalled: It waits for its client to take some.
        queued: It stands in the batcher.
        in_columns: So many of its chunks wait in columns; what is in `queue` comes after them.
        counted: What of its session's segment counts the metrics have.
        window: When it last sent something, see `Pace.saw`.
    """

    session: Session
    lane: Lane[ScheduledStream]
    lease: Lease | None
    queue: deque[tuple[int, Item, float]] = field(default_factory=deque)
    block: ModelFrames = field(default_factory=lambda: NO_FRAMES)
    at: int = 0
    came: float = 0.0
    passed: int = 0
    produced: int = 0
    written: int = 0
    ahead: bool = False
    stalled: bool = False
    queued: bool = False
    in_columns: int = 0
    counted: SegmentCounts = field(default_factory=SegmentCounts)
    window: int = -1

    @property
    def ends_chunk(self) -> bool:
        """What comes next is the end of a chunk, whose acknowledgement will say how far the stream has come."""
        return bool(self.queue) and isinstance(self.queue[0][1], ChunkEnd)

    @property
    def slot(self) -> int:
        """Of its model's state, while it has one."""
        assert self.lease is not None
        return self.lease.slot

    @property
    def decoder(self) -> Decoder:
        """What steps it."""
        return self.lane.decoder


Submitted = tuple[ScheduledStream, Sequence[Item], float]
"""What a stream has taken, and when that came, by `time.monotonic`."""
AnySubmitted = Submitted | SentChunks[ScheduledStream]
"""The same of one stream, or of many in columns."""


def weight(item: Item) -> int:
    """How much an item counts in a queue: a frame of the model as one, and anything else as one, too."""
    return len(item.decided) if isinstance(item, ModelFrames) else 1
