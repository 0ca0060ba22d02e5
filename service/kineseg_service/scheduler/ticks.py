"""A tick of a model: who steps, the step, and what of each stream has gone through with it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kineseg_core.boundary_network import BoundaryNetwork

from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.chunk_queue import ChunkRows
from kineseg_service.scheduler.columns import Columns
from kineseg_service.scheduler.lanes import Lane
from kineseg_service.scheduler.queues import Queues
from kineseg_service.scheduler.scheduled import ScheduledStream
from kineseg_service.scheduler.seats import Seats
from kineseg_service.scheduler.steps import Stepper

_log = get_logger(__name__)


class Ticks:
    """Steps streams of a model as one batch.

    Args:
        network: What looks at candidate boundaries.
        queues: Of what waits by itself.
        columns: Of what waits with others.
        seats: Where streams fail.
        metrics: Where steps are counted.
    """

    def __init__(
        self, network: BoundaryNetwork, queues: Queues, columns: Columns, seats: Seats, metrics: Metrics
    ) -> None:
        self._stepper = Stepper(network, queues.advanced, columns.followed, seats.fail)
        self._queues = queues
        self._columns = columns
        self._seats = seats
        self._metrics = metrics

    def tick(self, lane: Lane[ScheduledStream]) -> None:
        """Steps those that have waited longest."""
        most = lane.decoder.max_batch
        # Where both wait, in turn the ones take what room they want, and the others what is left.
        lane.chunks_first = not lane.chunks_first
        room = most if lane.chunks_first else max(0, most - lane.batcher.hurrying)
        chunks = lane.chunks.take(room)
        streams = lane.batcher.take(most, sum(map(len, chunks)))
        streams = [stream for stream in streams if stream.lease is not None]
        if streams or any(chunks):
            self._step(lane, streams, chunks)
        for stream in streams:
            stream.queued = False
            self._queues.proceed(stream)
        self._columns.settle(lane, chunks)

    def _step(
        self, lane: Lane[ScheduledStream], streams: list[ScheduledStream], chunks: Sequence[ChunkRows[ScheduledStream]]
    ) -> None:
        stepped = sum(map(len, chunks), len(streams))
        came = [stream.came for stream in streams[:1]] + [rows.came for rows in chunks[:1]]  # none has waited longer
        began, waited = time.perf_counter(), time.monotonic() - min(came)
        try:
            self._stepper.step(lane, streams, chunks)
        except Exception:
            _log.exception("a step failed; trying its streams one by one", streams=stepped)
            self._step_apart(lane, streams, chunks)
        else:
            lane.frames_waiting -= stepped - len(streams)
        with harmless("metrics"):
            self._metrics.stepped(stepped, time.perf_counter() - began, waited)

    def _step_apart(
        self,
        lane: Lane[ScheduledStream],
        streams: Sequence[ScheduledStream],
        chunks: Sequence[ChunkRows[ScheduledStream]],
    ) -> None:
        """Each stream by itself, as one of them has made all fail; those of chunks with the next steps."""
        for rows in chunks:
            for stream in rows.streams:
                self._columns.take_back(stream)
                self._queues.proceed(stream)
        for stream in streams:
            try:
                self._stepper.step(lane, [stream])
            except Exception:
                self._seats.fail(stream, "the model could not be run")
