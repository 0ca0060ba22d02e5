"""The one thread that steps all streams: it waits for frames, batches them, and lets each session decide.

It alone touches decoders, leases and the deciding half of sessions. Others give it work through a locked inbox, which
it empties once a tick (`Pace` says when); it gives results back in bundles, as often as it runs out of work or a few
milliseconds have passed.

What fails in a stream ends that stream. What fails in the thread itself ends the engine: it fails its streams, says so
to whoever started it, and from then on does what it is given at once and in the caller's thread, so that no one waits.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TypeVar

from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.errors import CoreError, StepFailed
from kineseg_core.events import Output, Summary
from kineseg_core.inference.decoder import Decoder
from kineseg_core.intake.intake import ChunkEnd, GapFound
from kineseg_core.intake.missing import ValuesMissing
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.watch import AnomalyFound
from kineseg_core.segmenting import table_plan
from kineseg_core.session import End, Session
from kineseg_core.snapshot import Snapshot

from kineseg_service.errors import Broken
from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.chunk_queue import ChunkRows, SentChunks, WaitingChunks
from kineseg_service.scheduler.deliveries import HandOver, Outbox
from kineseg_service.scheduler.inbox import Inbox
from kineseg_service.scheduler.lanes import Lane, Lanes
from kineseg_service.scheduler.pace import Pace
from kineseg_service.scheduler.scheduled import Item, Keep, ScheduledStream, Submitted, weight
from kineseg_service.scheduler.steps import Stepper

R = TypeVar("R")

_log = get_logger(__name__)
# Results are handed over once all has gone through of streams that are not ahead of their own time, and at least this
# often.
_FLUSH_S = 0.003


def _drop(hand_over: HandOver) -> None:
    """Where what streams give goes before anyone wants them."""


def _ignore() -> None:
    """What happens at the engine's end before anyone wants to know."""


class Engine:
    """Steps all streams in one thread.

    Args:
        decoders: By name of the model.
        network: What finds the boundaries; for this engine alone.
        metrics: Where steps are counted.
        queue_responses: From how many outputs on, taken by no one, a stream waits.
        tick_s: What comes is left to gather for so long at most, see `Pace`.
    """

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        network: BoundaryNetwork,
        metrics: Metrics,
        queue_responses: int = 1024,
        tick_s: float = 0.005,
    ) -> None:
        self._stepper = Stepper(network, self._advanced, self._followed, self._fail)
        self._lanes: Lanes[ScheduledStream] = Lanes(decoders)
        self._deliver: Callable[[HandOver], None] = _drop
        self._on_end: Callable[[], None] = _ignore
        self._metrics = metrics
        self._most_outputs = queue_responses
        self._inbox = Inbox()
        self._pace = Pace(tick_s)
        self._broken = False
        self._streams: dict[ScheduledStream, None] = {}  # those that hold a slot, in the order of their opening
        self._arrivals = 0
        self._waiting = 0
        self._outbox = Outbox()
        self._flushed = 0.0
        self._thread = threading.Thread(target=self._run, name="kineseg-engine", daemon=True)

    # What others call, from any thread.

    def start(self, deliver: Callable[[HandOver], None], on_failure: Callable[[], None] = _ignore) -> None:
        """Starts the thread.

        Args:
            deliver: Is given what streams give, in the engine's thread; it must not block.
            on_failure: Is called there when the engine itself has failed, after its streams have been.
        """
        self._deliver, self._on_end = deliver, on_failure
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after what is in the inbox; waits for it."""
        self._inbox.stop()
        if self._thread.is_alive():
            self._thread.join()

    def open(
        self, session: Session, own: Decoder | None = None, snapshot: Snapshot | None = None
    ) -> Future[ScheduledStream]:
        """Lends a slot of the session's model; the future raises `Full` when there is none, `Broken` after a failure.

        Args:
            session: What decides.
            own: The model's decoder, where the model was made for the stream.
            snapshot: From which the stream goes on, whose session this is; the future raises `BadSnapshot` where it
                does not fit.
        """
        return self.call(lambda: self._open(session, own, snapshot))

    def submit(self, stream: ScheduledStream, items: Sequence[Item], came: float | None = None) -> None:
        """Queues what a session has taken; nothing happens when the stream has ended.

        `came`: when what it was taken from came, by `time.monotonic`; none: now.
        """
        since = time.monotonic() if came is None else came
        self._post(lambda: self._or_fail(stream, lambda: self._take(stream, items, since)))

    def submit_many(self, taken: Sequence[Submitted | SentChunks]) -> None:
        """Queues what several sessions have taken, in order, as `submit` does, at once."""

        def take() -> None:
            for each in taken:
                if isinstance(each, SentChunks):
                    self._take_chunks(each)
                else:
                    stream, items, came = each
                    self._or_fail(stream, lambda: self._take(stream, items, came))  # noqa: B023 - is called at once

        self._post(take)

    def wake(self, stream: ScheduledStream) -> None:
        """The stream's client has taken outputs, so that a stalled stream may go on."""
        self._post(lambda: self._or_fail(stream, lambda: self._unstall(stream)))

    def abandon(self, stream: ScheduledStream, then: Callable[[], None]) -> None:
        """Drops the stream and gives its slot back, then calls `then` in the engine's thread."""

        def drop() -> None:
            self._release(stream)
            self._count(stream)
            self._outbox.drop(stream)
            then()

        self._post(drop)

    def call(self, function: Callable[[], R]) -> Future[R]:
        """Runs a function between two steps, when nothing changes."""
        future: Future[R] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = function()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._post(run)
        return future

    def _post(self, command: Callable[[], None]) -> None:
        if not self._inbox.post(command):
            self._do(command)

    # The thread.

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:
            self._break(error)

    def _serve(self) -> None:
        while True:
            idle = not self._lanes.busy()
            if idle:
                self._inbox.wait()
                if wait_s := self._pace.wait_s():
                    time.sleep(wait_s)  # who posts meanwhile need not wake a thread
            if idle or not self._pace.wait_s():
                commands = self._inbox.take()
                if commands is None:
                    break
                self._pace.begin()
                for command in commands:
                    self._do(command)
            hurried = self._lanes.hurry()
            for lane in self._lanes.waiting():
                self._tick(lane)
            none_left = not (self._lanes.hurry() if hurried else self._lanes.busy())
            if none_left or time.monotonic() - self._flushed > _FLUSH_S:
                self._flush()
        self._flush()

    def _do(self, command: Callable[[], None]) -> None:
        try:
            command()
        except Exception:
            _log.exception("a command failed")

    def _break(self, error: BaseException) -> None:
        """Ends the engine: no one may wait for it any more."""
        failure = StepFailed("the server has failed")
        _log.critical("the engine has failed", error_id=failure.error_id, streams=len(self._streams), exc_info=error)
        self._broken = True
        for command in self._inbox.close():
            self._do(command)
        for stream in list(self._streams):
            self._do(lambda stream=stream: self._end_with(stream, failure))  # type: ignore[misc]
        self._do(self._flush)
        self._on_end()

    def _flush(self) -> None:
        self._flushed = time.monotonic()
        if self._outbox:
            hand_over = self._outbox.take()
            self._deliver(hand_over)
            for delivery in hand_over.deliveries:
                self._count(delivery.stream)
        with harmless("metrics"):
            self._metrics.waiting(self._waiting)

    def _count(self, stream: ScheduledStream) -> None:
        counts, before = stream.session.segment_counts, stream.counted
        if counts is not before:
            stream.counted = counts
            with harmless("metrics"):
                self._metrics.segments(
                    provisional=counts.provisional - before.provisional,
                    confirmed=counts.confirmed - before.confirmed,
                    retracted=counts.retracted - before.retracted,
                )

    # Streams come and go.

    def _open(self, session: Session, own: Decoder | None, snapshot: Snapshot | None) -> ScheduledStream:
        if self._broken:
            raise Broken("the server has failed and is ending; try another one")
        lane = self._lanes.own(session.config.model) if own is None else self._lanes.made(own)
        lease = lane.decoder.acquire()
        session.take_row(lane.table(table_plan(session.segmenter_plan)), lease.slot)
        if snapshot is not None:
            try:
                snapshot.resume(session)
                lane.decoder.put(lease, snapshot.state_of(lane.decoder.bundle.state_size))
            except BaseException:
                lane.decoder.release(lease)
                raise
        stream = ScheduledStream(session, lane, lease)
        lane.streams += 1
        self._streams[stream] = None
        return stream

    def _release(self, stream: ScheduledStream) -> None:
        """Ends a stream, whoever asks first: its slot goes back once, and what waits is dropped."""
        if stream.lease is None:
            return
        lane = stream.lane
        lane.decoder.release(stream.lease)
        stream.lease = None
        del self._streams[stream]
        self._lanes.leave(lane)
        self._waiting -= (
            sum(len(item.frames) for _, item, _ in stream.queue if isinstance(item, ModelFrames)) - stream.at
        )
        stream.queue.clear()
        stream.at = 0
        if stream.in_columns:
            back = lane.chunks.take_back(stream)
            self._waiting -= sum(weight(item) for chunk in back for item in chunk.items) - len(back)
            stream.in_columns = 0

    def _take(self, stream: ScheduledStream, items: Sequence[Item], came: float) -> None:
        if stream.lease is None:
            return
        stream.window = self._pace.saw(stream.window)
        for item in items:
            self._arrivals += 1
            stream.queue.append((self._arrivals, item, came))
            if isinstance(item, ModelFrames):
                self._waiting += len(item.frames)
        self._proceed(stream)

    def _take_chunks(self, sent: SentChunks) -> None:
        """Chunks wait in the columns of their lane, unless something else of their stream waits before them."""
        ready: dict[Lane[ScheduledStream], list[int]] = {}
        for chunk, (stream, came) in enumerate(zip(sent.streams, sent.came, strict=True)):
            if stream.lease is None:
                continue
            if stream.queue or stream.queued or stream.ahead or self._stalls(stream):
                items = sent.chunks.items(chunk)
                self._or_fail(stream, lambda: self._take(stream, items, came))  # noqa: B023 - is called at once
                continue
            stream.window = self._pace.saw(stream.window)
            stream.in_columns += 1
            ready.setdefault(stream.lane, []).append(chunk)
        for lane, chunks in ready.items():
            waiting = WaitingChunks(sent, chunks)
            self._waiting += sum(waiting.sizes[chunk] for chunk in chunks)
            lane.chunks.add(waiting)

    def _settle(self, lane: Lane[ScheduledStream], chunks: Sequence[ChunkRows]) -> None:
        """Rows have been stepped: with some of them their chunks have gone through."""
        for rows in chunks:
            waiting = rows.waiting
            for chunk in rows.through():
                stream, received = waiting.streams[chunk], waiting.chunks.received[chunk]
                stream.in_columns -= 1
                stream.passed += waiting.sizes[chunk] + 1
                stream.session.acknowledged(received)
                self._outbox.acknowledge(stream, received)
                if stream.queue:
                    self._proceed(stream)
        lane.chunks.settle()

    def _take_back(self, stream: ScheduledStream) -> None:
        """What waits of a stream in columns goes back into its queue."""
        chunks = stream.lane.chunks.take_back(stream)
        stream.in_columns -= len(chunks)
        for chunk in reversed(chunks):
            stream.passed += chunk.stepped
            for item in reversed(chunk.items):
                self._arrivals += 1
                stream.queue.appendleft((self._arrivals, item, chunk.came))

    def _unstall(self, stream: ScheduledStream) -> None:
        stream.stalled = False
        self._proceed(stream)

    def _proceed(self, stream: ScheduledStream) -> None:
        """Lets through what needs no step, and queues the stream when a frame comes next."""
        while stream.queue and not stream.queued and not stream.in_columns and not self._stalls(stream):
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

    def _stalls(self, stream: ScheduledStream) -> bool:
        if stream.produced - stream.written < self._most_outputs:
            return False
        # First the flag, then another look: the client's side looks at the flag after it has counted.
        stream.stalled = True
        if stream.produced - stream.written < self._most_outputs:
            stream.stalled = False
        return stream.stalled

    def _keep(self, stream: ScheduledStream, item: Keep) -> None:
        """A stream goes on whether or not its snapshot can be written."""
        with harmless("snapshots"):
            assert stream.lease is not None
            payload = item.writer.whole(item.received, stream.lane.decoder.state(stream.lease))
            self._flush()  # what the stream has given before comes before
            item.then(payload)

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
            self._fail(stream, "the stream could not be segmented")
            return
        stream.passed += weight(item)
        if summary is not None:
            self._release(stream)
        self._give(stream, outputs, summary=summary)

    # Steps.

    def _tick(self, lane: Lane[ScheduledStream]) -> None:
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
            self._proceed(stream)
        self._settle(lane, chunks)

    def _step(self, lane: Lane[ScheduledStream], streams: list[ScheduledStream], chunks: Sequence[ChunkRows]) -> None:
        stepped = sum(map(len, chunks), len(streams))
        came = [stream.came for stream in streams[:1]] + [rows.came for rows in chunks[:1]]  # none has waited longer
        began, waited = time.perf_counter(), time.monotonic() - min(came)
        try:
            self._stepper.step(lane, streams, chunks)
        except Exception:
            _log.exception("a step failed; trying its streams one by one", streams=stepped)
            self._step_apart(lane, streams, chunks)
        else:
            self._waiting -= stepped - len(streams)
        with harmless("metrics"):
            self._metrics.stepped(stepped, time.perf_counter() - began, waited)

    def _step_apart(
        self, lane: Lane[ScheduledStream], streams: Sequence[ScheduledStream], chunks: Sequence[ChunkRows]
    ) -> None:
        """Each stream by itself, as one of them has made all fail; those of chunks with the next steps."""
        for rows in chunks:
            for stream in rows.streams:
                self._take_back(stream)
                self._proceed(stream)
        for stream in streams:
            try:
                self._stepper.step(lane, [stream])
            except Exception:
                self._fail(stream, "the model could not be run")

    def _followed(self, stream: ScheduledStream, outputs: Sequence[Output]) -> None:
        """Something may have followed from a row of a stream's chunk."""
        if not outputs:
            self._count(stream)
            return
        self._give(stream, outputs)
        if self._stalls(stream):
            self._take_back(stream)

    def _advanced(self, stream: ScheduledStream, outputs: Sequence[Output]) -> None:
        """A frame of a stream has gone through."""
        stream.passed += 1
        stream.at += 1
        self._waiting -= 1
        is_through = stream.at == len(stream.block.decided)
        if is_through:
            stream.queue.popleft()
            stream.at = 0
        if outputs or (is_through and not stream.ends_chunk):
            self._give(stream, outputs)

    # Results.

    def _give(self, stream: ScheduledStream, outputs: Sequence[Output], summary: Summary | None = None) -> None:
        self._outbox.give(stream, outputs, summary)

    def _fail(self, stream: ScheduledStream, what: str) -> None:
        """Ends one stream with an error; to be called where the exception, if any, is being handled."""
        error = StepFailed(what)
        name = stream.session.config.session_id
        _log.error(what, session=name, error_id=error.error_id, exc_info=sys.exc_info()[0] is not None)
        self._end_with(stream, error)

    def _or_fail(self, stream: ScheduledStream, command: Callable[[], None]) -> None:
        try:
            command()
        except Exception:
            self._fail(stream, "the stream could not be segmented")

    def _end_with(self, stream: ScheduledStream, error: CoreError) -> None:
        self._release(stream)
        self._outbox.fail(stream, error)
