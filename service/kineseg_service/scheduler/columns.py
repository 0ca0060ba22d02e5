"""Chunks that wait in columns: into them, through them, and out of them where something else comes of their stream."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from kineseg_core.events import Output

from kineseg_service.scheduler.chunk_queue import ChunkRows, SentChunks, WaitingChunks
from kineseg_service.scheduler.deliveries import Through
from kineseg_service.scheduler.lanes import Lane
from kineseg_service.scheduler.pace import Pace
from kineseg_service.scheduler.queues import Queues
from kineseg_service.scheduler.results import Results
from kineseg_service.scheduler.scheduled import ScheduledStream
from kineseg_service.scheduler.seats import Seats


class Columns:
    """What waits in columns of all streams.

    Args:
        queues: Where what cannot wait here waits.
        seats: Where streams fail.
        results: Gets what they give.
        pace: Sees who sends.
    """

    def __init__(self, queues: Queues, seats: Seats, results: Results, pace: Pace) -> None:
        self._queues = queues
        self._seats = seats
        self._results = results
        self._pace = pace

    def take(self, sent: SentChunks[ScheduledStream]) -> None:
        """Chunks wait in the columns of their lane, unless something else of their stream waits before them."""
        ready: dict[Lane[ScheduledStream], list[tuple[int, int]]] = {}
        most = self._queues.most_outputs
        for chunk, stream in enumerate(sent.streams):
            lease = stream.lease
            if lease is None:
                continue
            is_full = stream.produced - stream.written >= most
            if stream.queue or stream.queued or stream.ahead or (is_full and self._queues.stalls(stream)):
                items = sent.chunks.items(chunk)
                self._seats.or_fail(stream, partial(self._queues.take, stream, items, sent.came[chunk]))
                continue
            stream.in_columns += 1
            lane = stream.lane
            if lane not in ready:
                ready[lane] = []
            ready[lane].append((chunk, lease.slot))
        for lane, seated in ready.items():
            chunks, slots = zip(*seated, strict=True)
            self._pace.saw_all([sent.streams[chunk] for chunk in chunks])
            waiting = WaitingChunks(sent, chunks, slots)
            lane.frames_waiting += sum([waiting.sizes[chunk] for chunk in chunks])
            lane.chunks.add(waiting)

    def followed(self, stream: ScheduledStream, outputs: Sequence[Output]) -> None:
        """Something may have followed from a row of a stream's chunk."""
        if not outputs:
            self._results.count(stream)
            return
        self._results.give(stream, outputs)
        if self._queues.stalls(stream):
            self.take_back(stream)

    def settle(self, lane: Lane[ScheduledStream], chunks: Sequence[ChunkRows[ScheduledStream]]) -> None:
        """Rows have been stepped: with some of them their chunks have gone through."""
        for rows in chunks:
            waiting = rows.waiting
            streams, sizes, received = waiting.streams, waiting.sizes, waiting.chunks.received
            through = rows.through()
            lane.quiet.acknowledge(waiting.slots[through], [received[chunk] for chunk in through])
            acknowledged: list[Through] = []
            for chunk in through:
                stream = streams[chunk]
                stream.in_columns -= 1
                stream.passed += sizes[chunk] + 1
                acknowledged.append((stream, received[chunk], stream.passed))
            self._results.acknowledge(acknowledged)
            for stream, _, _ in acknowledged:
                if stream.queue:
                    self._queues.proceed(stream)
        lane.chunks.settle()

    def take_back(self, stream: ScheduledStream) -> None:
        """What waits of a stream in columns goes back into its queue."""
        chunks = stream.lane.chunks.take_back(stream)
        stream.in_columns -= len(chunks)
        self._queues.put_back(stream, chunks)
