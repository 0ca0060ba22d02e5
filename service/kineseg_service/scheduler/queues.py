"""What waits of each stream in a queue of its own, and goes through in order."""

from __future__ import annotations

from collections.abc import Sequence

from kineseg_core.events import Output
from kineseg_core.intake.missing import ValuesMissing
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, GapFound
from kineseg_core.intake.watch import AnomalyFound
from kineseg_core.session import End

from kineseg_service.logs import harmless
from kineseg_service.scheduler.chunk_queue import TakenBack
from kineseg_service.scheduler.pace import Pace
from kineseg_service.scheduler.results import Results
from kineseg_service.scheduler.scheduled import NO_FRAMES, Item, Keep, ScheduledStream, weight
from kineseg_service.scheduler.seats import Seats


class Queues:
    """The queues of all streams.

    Args:
        seats: Where streams fail and end.
        results: Gets what they give.
        pace: Sees who sends.
        most_outputs: From how many outputs on, taken by no one, a stream waits.

    Attributes:
        most_outputs: As given.
    """

    def __init__(self, seats: Seats, results: Results, pace: Pace, most_outputs: int) -> None:
        self._seats = seats
        self._results = results
        self._pace = pace
        self.most_outputs = most_outputs
        self._arrivals = 0

    def take(self, stream: ScheduledStream, items: Sequence[Item], came: float) -> None:
        """More has come of a stream; nothing happens where that has ended."""
        if stream.lease is None:
            return
        stream.window = self._pace.saw(stream.window)
        for item in items:
            self._arrivals += 1
            stream.queue.append((self._arrivals, item, came))
            if isinstance(item, ModelFrames):
                stream.lane.frames_waiting += len(item.frames)
        self.proceed(stream)

    def put_back(self, stream: ScheduledStream, chunks: Sequence[TakenBack]) -> None:
        """These come before what is in the stream's queue."""
        for chunk in reversed(chunks):
            stream.passed += chunk.stepped
            for item in reversed(chunk.items):
                self._arrivals += 1
                stream.queue.appendleft((self._arrivals, item, chunk.came))

    def proceed(self, stream: ScheduledStream) -> None:
        """Lets through what needs no step, and queues the stream when a frame comes next."""
        while stream.queue and not stream.queued and not stream.in_columns and not self.stalls(stream):
            arrival, item, stream.came = stream.queue[0]
            if isinstance(item, ModelFrames):
                stream.block, stream.queued = item, True
                stream.lane.batcher.add(arrival, stream, ahead=stream.ahead)
                return
            stream.queue.popleft()
            if isinstance(item, Keep):
                self._keep(stream, item)
            else:
                self._pass(stream, item)

    def stalls(self, stream: ScheduledStream) -> bool:
        """Whether it waits for its client to take outputs."""
        if stream.produced - stream.written < self.most_outputs:
            return False
        # First the flag, then another look: the client's side looks at the flag after it has counted.
        stream.stalled = True
        if stream.produced - stream.written < self.most_outputs:
            stream.stalled = False
        return stream.stalled

    def unstall(self, stream: ScheduledStream) -> None:
        """Its client has taken outputs."""
        stream.stalled = False
        self.proceed(stream)

    def advanced(self, stream: ScheduledStream, outputs: Sequence[Output]) -> None:
        """A frame of a stream has gone through, and has given this."""
        stream.passed += 1
        stream.at += 1
        stream.lane.frames_waiting -= 1
        is_through = stream.at == len(stream.block.decided)
        if is_through:
            stream.queue.popleft()
            stream.block, stream.at = NO_FRAMES, 0
        if outputs or (is_through and not stream.ends_chunk):
            self._results.give(stream, outputs)

    def _keep(self, stream: ScheduledStream, item: Keep) -> None:
        """A stream goes on whether or not its snapshot can be written."""
        with harmless("snapshots"):
            assert stream.lease is not None
            payload = item.writer.whole(item.received, stream.lane.decoder.state(stream.lease))
            self._results.keep((item.then, payload))

    def _pass(self, stream: ScheduledStream, item: GapFound | ValuesMissing | AnomalyFound | ChunkEnd | End) -> None:
        outputs: list[Output] = []
        summary = None
        try:
            if isinstance(item, ChunkEnd):  # nearly always
                stream.session.ack(item, outputs)
            elif isinstance(item, GapFound):
                if item.cuts:
                    assert stream.lease is not None  # nothing waits for a stream without one
                    stream.lane.decoder.reset(stream.lease)
                stream.session.gap(item, outputs)
            elif isinstance(item, ValuesMissing):
                stream.session.missing(item, outputs)
            elif isinstance(item, AnomalyFound):
                stream.session.anomaly(item, outputs)
            else:
                summary = stream.session.finish(item, outputs)
        except Exception:
            self._seats.fail(stream, "the stream could not be segmented")
            return
        stream.passed += weight(item)
        if summary is not None:
            self._seats.release(stream)
        self._results.give(stream, outputs, summary=summary)
