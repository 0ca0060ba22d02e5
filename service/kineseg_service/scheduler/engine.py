"""The one thread that steps all streams: it waits for frames, batches them, and lets each session decide.

It alone touches decoders, leases and the deciding half of sessions. Others give it work through a locked inbox, which
it empties once a tick (`Pace` says when); it gives results back in bundles, as often as it runs out of work or a few
milliseconds have passed.

What fails in a stream ends that stream. What fails in the thread itself ends the engine: it fails its streams, says so
to whoever started it, and from then on does what it is given at once and in the caller's thread, so that no one waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from kineseg_core.boundary_network import BoundaryNetwork
from kineseg_core.errors import StepFailed
from kineseg_core.inference.decoder import Decoder
from kineseg_core.inference.providers import CPU
from kineseg_core.session import Session
from kineseg_core.snapshot import Snapshot

from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.scheduler.chunk_queue import SentChunks
from kineseg_service.scheduler.columns import Columns
from kineseg_service.scheduler.deliveries import HandOver
from kineseg_service.scheduler.inbox import Inbox
from kineseg_service.scheduler.lanes import Lanes
from kineseg_service.scheduler.load import Load
from kineseg_service.scheduler.pace import Pace
from kineseg_service.scheduler.queues import Queues
from kineseg_service.scheduler.results import Results
from kineseg_service.scheduler.scheduled import AnySubmitted, Item, ScheduledStream
from kineseg_service.scheduler.seats import Seats
from kineseg_service.scheduler.ticks import Ticks

R = TypeVar("R")

_log = get_logger(__name__)
_WAIT_S = 0.002
"""For so long at most another thread waits for the engine's."""
_IN_PLACE_S = 0.004
"""For so long at most another thread steps in its place, and what is left then is left to it."""
_NOT_MANY = 32
"""As measured: a chunk alone costs less if nothing else goes on while it goes through; of those that are not many each
does if no other thread is woken for them."""


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
        self._metrics = metrics
        # What a device has prepared is its thread's, see `Decoder.warm_up`.
        self._any_thread = all(decoder.provider == CPU for decoder in decoders.values())
        self._on_end: Callable[[], None] = _ignore
        self._inbox = Inbox()
        self._caught_up = threading.Event()
        self._in_place_again = 0.0  # until then the thread does what is more than little
        self._pace = Pace(tick_s)
        self._load = Load()
        self._lanes: Lanes[ScheduledStream] = Lanes(decoders)
        self._results = Results(metrics)
        self._seats = Seats(self._lanes, self._results)
        self._queues = Queues(self._seats, self._results, self._pace, queue_responses)
        self._columns = Columns(self._queues, self._seats, self._results, self._pace)
        self._ticks = Ticks(network, self._queues, self._columns, self._seats, metrics)
        self._thread = threading.Thread(target=self._run, name="kineseg-engine", daemon=True)

    # What others call, from any thread.

    def start(self, deliver: Callable[[HandOver], None], on_failure: Callable[[], None] = _ignore) -> None:
        """Starts the thread.

        Args:
            deliver: Is given what streams give, in the engine's thread or in that of who submits; it must not block.
            on_failure: Is called there when the engine itself has failed, after its streams have been.
        """
        self._results.deliver, self._on_end = deliver, on_failure
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
        return self.call(lambda: self._seats.open(session, own, snapshot))

    def submit(self, stream: ScheduledStream, items: Sequence[Item], came: float | None = None) -> None:
        """Queues what a session has taken; nothing happens when the stream has ended.

        `came`: when what it was taken from came, by `time.monotonic`; none: now.
        """
        since = time.monotonic() if came is None else came
        self._post(lambda: self._seats.or_fail(stream, lambda: self._queues.take(stream, items, since)))

    def submit_many(self, taken: Sequence[AnySubmitted], *, gathered: bool = False, chunks: int | None = None) -> None:
        """Queues what several sessions have taken, in order, as `submit` does, at once.

        Where it is not much it costs less if it has gone through before the caller goes on, or a few milliseconds have
        passed. If the engine's thread has nothing to do, the caller's does it: another one would have to be woken, and
        would find nothing of it in its processor's caches. If that is at work, one chunk alone is waited for: both
        would hold up each other, as one of them at a time has the interpreter. Where the engine has much to do, neither
        is done: more comes meanwhile, and goes through together at less.

        Args:
            taken: That.
            gathered: It has waited for others, and is not to wait for more of them.
            chunks: Of how many it is; none: the caller is to go on at once.
        """

        def take() -> None:
            for each in taken:
                if isinstance(each, SentChunks):
                    self._columns.take(each)
                else:
                    stream, items, came = each
                    self._seats.or_fail(stream, partial(self._queues.take, stream, items, came))

        alone = chunks == 1 and not self._load.is_much
        if chunks is not None and self._may_be_in_place(chunks, alone) and self._inbox.lend():
            self._go_through(take)
        elif alone:
            self._caught_up.clear()
            self._post(take, urgent=gathered)
            self._caught_up.wait(_WAIT_S)
        else:
            self._post(take, urgent=gathered)

    def _may_be_in_place(self, chunks: int, alone: bool) -> bool:
        """Whether so many may go through in the caller's thread, if the engine's waits."""
        if not self._any_thread:
            return False
        return alone or (chunks <= _NOT_MANY and time.monotonic() >= self._in_place_again)

    def wake(self, stream: ScheduledStream) -> None:
        """The stream's client has taken outputs, so that a stalled stream may go on."""
        self._post(lambda: self._seats.or_fail(stream, lambda: self._queues.unstall(stream)))

    def abandon(self, stream: ScheduledStream, then: Callable[[], None]) -> None:
        """Drops the stream and gives its slot back, then calls `then` in the engine's thread."""

        def drop() -> None:
            self._seats.release(stream)
            self._results.drop(stream)
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

    def _post(self, command: Callable[[], None], *, urgent: bool = False) -> None:
        if not self._inbox.post(command, urgent=urgent):
            self._do(command)

    def _go_through(self, command: Callable[[], None]) -> None:
        """Does in the place of the thread, which waits, what that would do; what takes long is left to it."""
        began = time.monotonic()
        until = began + _IN_PLACE_S
        try:
            self._pace.begin()
            self._do(command)
            while self._lanes.busy() and time.monotonic() < until:
                self._tick()
            if not self._lanes.busy():
                self._flush()
        except BaseException as error:
            self._break(error)
            if not isinstance(error, Exception):
                raise
        finally:
            # What else the caller's thread has to do gets half of its time.
            now = time.monotonic()
            self._in_place_again = now + (now - began)
            self._inbox.give_back(more=self._lanes.busy())

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
                if not self._lanes.busy() and (wait_s := self._pace.wait_s()):
                    self._inbox.gather(wait_s)
            if (idle or self._inbox.urgent or not self._pace.wait_s()) and not self._obey():
                break
            hurried = self._tick()
            none_left = not (self._lanes.hurry() if hurried else self._lanes.busy())
            if none_left or self._results.overdue:
                self._flush()
        self._flush()

    # Each by itself, as the thread would else hold what was last at hand there for as long as it waits.

    def _obey(self) -> bool:
        """Does what is in the inbox; False at the end."""
        commands = self._inbox.take()
        if commands is None:
            return False
        self._pace.begin()
        for command in commands:
            self._do(command)
        return True

    def _tick(self) -> bool:
        """A step of each model that has something to step; whether anything was not ahead of its own time."""
        began, hurried = time.monotonic(), self._lanes.hurry()
        for lane in self._lanes.waiting():
            self._ticks.tick(lane)
        if hurried:  # what is ahead makes room for what is not
            self._load.went_through(began)
        return hurried

    def _do(self, command: Callable[[], None]) -> None:
        try:
            command()
        except Exception:
            _log.exception("a command failed")

    def _break(self, error: BaseException) -> None:
        """Ends the engine: no one may wait for it any more."""
        failure = StepFailed("the server has failed")
        _log.critical("the engine has failed", error_id=failure.error_id, streams=len(self._seats), exc_info=error)
        self._seats.close()
        for command in self._inbox.close():
            self._do(command)
        self._seats.fail_all(failure)
        self._do(self._flush)
        self._on_end()

    def _flush(self) -> None:
        self._results.flush()
        if not (self._inbox.urgent or self._lanes.hurry()):
            self._caught_up.set()
        with harmless("metrics"):
            self._metrics.waiting(self._lanes.frames_waiting)
