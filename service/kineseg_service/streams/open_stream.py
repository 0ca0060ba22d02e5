"""What all open streams have in common, whatever brings their chunks: they end, and the engine gets further."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from time import monotonic

from kineseg_core.anomalies.kinds import AnomalyClass
from kineseg_core.errors import CoreError
from kineseg_core.events import Ack, EndReason, Output, Summary
from kineseg_core.kept.sealing import Pieces
from kineseg_core.session import Session

from kineseg_service.config import Settings
from kineseg_service.errors import UnknownSession, afresh
from kineseg_service.scheduler.deliveries import Delivery
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import Item, Keep, ScheduledStream
from kineseg_service.streams.credit import Credit
from kineseg_service.streams.keeping import Beside
from kineseg_service.streams.lateness import Lateness
from kineseg_service.streams.one_by_one import OneByOne
from kineseg_service.streams.record import in_flight_since_ns, record_of
from kineseg_service.streams.resumable import Resumable, Seen
from kineseg_service.streams.written_outputs import WrittenOutputs
from kineseg_service.traces import current_traceparent

PIECE = 256
"""So much of a chunk, by weight, is taken at a time."""
TURN_S = 0.002
"""For so long chunks are taken until other streams have their turn."""
BEHIND_TURN_S = 0.0005
"""The same of those that others go before, see `OpenStream.goes_behind`."""


class OpenStream(ABC):
    """One open stream. To be used in one event loop.

    Attributes:
        session: What it feeds; only its receiving half may be used here.
        stream: The engine's side of it.
        error: What it is to end with, after everything that follows from accepted frames has been sent.
        given_up: Its client takes nothing, and has not for too long, or wants nothing more of it.
        released: Its slot has been given back.
        ended: The summary, once the stream has come to its end; the error with which it failed.
        anomalies: Those that go on, by their ids.
        lateness: Of its events.
        traceparent: The trace of who has opened it, where traces are wanted.
        active_at: When it last got further, by `time.monotonic`.
        at_close: Is called when it is forgotten.
        idle_timer: Looks whether that is too long ago.
        resumable: What it needs to go on after its call has broken; none: it ends with its call.
        beside: What is kept of it in a store; none: it does not outlive its server.
        describe: Gives what its client got when it was opened, of it: there are thousands like it, and few are asked.
        ack_interval_s: For how long its acknowledgements may be held back.
        back_row: Where something is taken of streams that go behind others, whosoever they are.
    """

    # Of so many attributes a stream would have a dict of its own, which is large and is read all over the place.
    __slots__ = (
        "_again", "_credit", "_ending", "_engine", "_few_outputs", "_queue_frames", "_submitted", "_to_keep",
        "_watch", "ack_interval_s", "active_at", "anomalies", "at_close", "back_row", "beside", "describe", "ended",
        "error", "given_up", "idle_timer", "lateness", "released", "resumable", "session", "stream", "traceparent",
    )  # fmt: skip

    back_row: OneByOne

    def __init__(self, session: Session, stream: ScheduledStream, engine: Engine, settings: Settings) -> None:
        self.session = session
        self.error: CoreError | None = None
        self.given_up = False
        self.released = False
        self.ended: asyncio.Future[Summary] = asyncio.get_running_loop().create_future()
        self.ended.add_done_callback(_look_at)
        self.stream = stream
        self._engine = engine
        self._queue_frames = settings.queue_frames
        self._few_outputs = settings.queue_responses // 2
        self._submitted = 0  # by weight, as the stream's `passed`
        self._ending = False
        self.anomalies: dict[int, AnomalyClass] = {}
        self.lateness = Lateness()
        self.traceparent = current_traceparent.get()
        self.active_at = monotonic()
        self.at_close: Callable[[], object] = lambda: None
        self.idle_timer: asyncio.TimerHandle | None = None
        self.resumable: Resumable | None = None
        self.beside: Beside | None = None
        self.describe: Callable[[OpenStream], bytes] = lambda live: b""
        self.ack_interval_s = 0.0
        intake = session.intake
        self._watch = intake.watch
        self._credit = Credit(session.config.frame_rate_hz, self.active_at, goes_on=intake.received > 0)
        self._to_keep: Callable[[], Keep] | None = None
        self._again = 0  # so many of the next outputs have been counted as taken before

    @property
    def session_id(self) -> str:
        """Name of the session."""
        return self.session.config.session_id

    @property
    def stream_id(self) -> str:
        """The id of the stream."""
        return self.session.config.stream_id

    @property
    def goes_behind(self) -> bool:
        """Others go before it: it is ahead of its own time, or what it sends takes long, as anomalies go on in it."""
        return self.stream.ahead or (self._watch is not None and self._watch.busy)

    @property
    def ending(self) -> bool:
        """Nothing more is accepted."""
        return self._ending

    def end(self, reason: EndReason, error: CoreError | None = None) -> None:
        """Lets what was accepted go through and sums up; only the first call counts."""
        if not self._ending:
            self._engine.submit(self.stream, self._end_input(reason, error))

    def keep(self, snapshot: Callable[[], Keep]) -> None:
        """Has a snapshot made of it as it is between two chunks: now, or once the one that is being taken has been."""
        if self._mid_chunk:
            self._to_keep = snapshot
        else:
            self._engine.submit(self.stream, [snapshot()])

    def record(self, snapshot: Pieces, written: WrittenOutputs) -> Pieces:
        """What is kept of it with this snapshot, once all has been delivered that it had given by then.

        `written`: what of its outputs has been written for the record before.
        """
        assert self.resumable is not None
        before, outputs = written.still_needed(self.resumable.sent, self.unsent(), in_flight_since_ns())
        return record_of(self.ack_interval_s, before, outputs, snapshot)

    def _wanted_snapshot(self) -> list[Item]:
        """What is to be submitted once a chunk has been taken: the snapshot that waits for that, if there is one."""
        if self._to_keep is None or self._mid_chunk:
            return []
        snapshot, self._to_keep = self._to_keep, None
        return [snapshot()]

    def deliver(self, delivery: Delivery) -> None:
        """The engine has got further."""
        self.active_at = monotonic()
        # The engine gives a slot back before it reports the end.
        self.released = delivery.summary is not None or delivery.error is not None
        if delivery.error is not None:
            self._stop(delivery.error)
        elif delivery.summary is not None and not self.ended.done():
            self.ended.set_result(delivery.summary)

    @abstractmethod
    def through(self, frames: int, passed: int, now: float) -> None:
        """The engine has got further: a chunk that was taken together with those of others has gone through.

        Args:
            frames: The index after its last frame.
            passed: See `Delivery`.
            now: By `time.monotonic`.
        """

    def vanish(self) -> None:
        """The client is gone: whoever waits for the end gets an error."""
        self._stop(UnknownSession(f"session {self.session_id!r} was cancelled by its client", field="session_id"))

    @property
    @abstractmethod
    def attached(self) -> bool:
        """Whether it has a call."""

    @property
    @abstractmethod
    def _mid_chunk(self) -> bool:
        """Whether some of a chunk has been taken, and not all."""

    @abstractmethod
    def acknowledge(self, ack: Ack) -> None:
        """Its client, if it has one, is to hear of this, which the engine does not know."""

    @abstractmethod
    def give_up(self, error: CoreError) -> None:
        """It has been ended, and its client has not read what is left to send for too long: `error` says so."""

    @abstractmethod
    def park(self) -> None:
        """Its call has broken: what it gives is kept until it is resumed."""

    @abstractmethod
    def unsent(self) -> list[Output]:
        """What it has given and no call has sent yet."""

    @abstractmethod
    def resume(self, seen: Seen) -> None:
        """Its client has come back, having seen so much: what it has not seen comes next.

        Raises:
            ResumeExpired: That is not kept any more.
        """

    @abstractmethod
    def detach(self, error: CoreError) -> asyncio.Event | None:
        """Takes it from its call, which ends with this error; what is set once that has let go of it, if not yet."""

    def _end_input(self, reason: EndReason, error: CoreError | None) -> list[Item]:
        """Takes nothing more; what is left to be submitted."""
        if reason is EndReason.COMPLETED:
            try:
                self.session.intake.check_end()
            except CoreError as refusal:
                reason, error = EndReason.REJECTED, refusal
        self._ending = True
        self.error = None if error is None else afresh(error)
        return [*self.session.end(reason)]

    def _stop(self, error: CoreError) -> None:
        self._ending = True
        if not self.ended.done():
            self.ended.set_exception(error)

    def _written(self, outputs: int) -> None:
        """The client has taken so many outputs."""
        self.active_at = monotonic()
        again = min(self._again, outputs)
        self._again -= again
        outputs -= again
        stream = self.stream
        stream.written += outputs
        # The engine sets the flag before it looks at the count a last time, so that one of the two always sees.
        if stream.stalled and stream.produced - stream.written <= self._few_outputs:
            self._engine.wake(stream)


def _look_at(future: asyncio.Future[Summary]) -> None:
    """An error that no one asks for is no one's business."""
    if not future.cancelled():
        future.exception()
