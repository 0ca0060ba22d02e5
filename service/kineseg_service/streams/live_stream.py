"""A stream with a call of its own, as the event loop sees it: chunks go in under backpressure, outputs come out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from time import monotonic

from kineseg_core.errors import CoreError, StepFailed
from kineseg_core.events import Ack, EndReason, Output
from kineseg_core.intake.taken import Taken
from kineseg_core.intake.together import SentChunk
from kineseg_core.session import Session

from kineseg_service.config import Settings
from kineseg_service.errors import afresh
from kineseg_service.logs import get_logger
from kineseg_service.scheduler.deliveries import Delivery
from kineseg_service.scheduler.engine import Engine
from kineseg_service.scheduler.scheduled import Item, Keep, ScheduledStream, weight
from kineseg_service.streams.call import Call
from kineseg_service.streams.held_acks import HeldAcks
from kineseg_service.streams.one_by_one import let_others_go_on
from kineseg_service.streams.open_stream import BEHIND_TURN_S, PIECE, TURN_S, OpenStream
from kineseg_service.streams.resumable import Seen
from kineseg_service.streams.together import Together

_log = get_logger(__name__)


class LiveStream(OpenStream):
    """An open stream with a call of its own. Acknowledgements are at least `ack_interval_s` apart.

    Attributes:
        call: That; none while there is none.
    """

    def __init__(
        self,
        session: Session,
        stream: ScheduledStream,
        engine: Engine,
        settings: Settings,
        call: Call,
        together: Together,
        ack_interval_s: float = 0.0,
    ) -> None:
        super().__init__(session, stream, engine, settings)
        self.call: Call | None = call
        self.window = -1
        self._together = together
        self._waits = False  # for others' chunks: its own one is taken with them
        self.ack_interval_s = ack_interval_s
        self._held_acks = HeldAcks(ack_interval_s, self._put) if ack_interval_s else None
        self._room = asyncio.Event()
        self._outputs: deque[Output] = deque()
        self._changed = asyncio.Event()
        self._accepting = False

    async def accept(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int]) -> None:
        """Takes a chunk, or lets it wait for those of others; returns when there is room for another one.

        Raises:
            InvalidFrame: The chunk is refused, nothing of it has been taken.
        """
        self._settle()
        if self._ending:
            return
        came = self.active_at = monotonic()
        intake = self.session.intake
        self.stream.ahead = self._credit.spend(len(data) // intake.frame_bytes, came)
        if not self.goes_behind and intake.is_plain(data, capture_times_ns):
            self._waits = True
            self._together.add(self, (intake, first_frame, data, capture_times_ns), came)
            if self._submitted - self.stream.passed >= self._queue_frames:
                await self._wait_for_room()
            return
        self._accepting = True
        before = intake.taken_here
        try:
            await self._accept(first_frame, data, capture_times_ns, came)
        finally:
            self._accepting = False
            self._together.count(intake.taken_here - before)
            if wanted := self._wanted_snapshot():
                self._engine.submit(self.stream, wanted)

    def took(self, frames: int) -> None:
        """Its chunk that waited has been taken with those of others, and has given so many frames of the model."""
        self._waits = False
        self._submitted += frames + 1

    def took_items(self, chunk: SentChunk, given: Iterable[Taken] | None) -> list[Item]:
        """The same where something else may have come of it, too; that is to be handed to the engine.

        Args:
            chunk: The chunk.
            given: See `take_together`.
        """
        self._waits = False
        if self._ending:
            return []
        try:
            items: list[Item] = list(self.session.take(*chunk[1:]) if given is None else given)
        except CoreError as error:
            self.end(EndReason.REJECTED, error)
            return []
        except Exception:
            failure = StepFailed("the stream could not be read")
            _log.exception("reading failed", session=self.session_id, error_id=failure.error_id)
            self.end(EndReason.REJECTED, failure)
            return []
        self._submitted += sum(map(weight, items))
        return items

    def end(self, reason: EndReason, error: CoreError | None = None) -> None:
        """See `OpenStream`; where that fails, its call ends at once."""
        try:
            self._settle()  # it may end with that, for another reason
            super().end(reason, error)
        except Exception:
            failure = StepFailed("the stream could not be ended")
            _log.exception("ending failed", session=self.session_id, error_id=failure.error_id)
            self.give_up(failure)

    def keep(self, snapshot: Callable[[], Keep]) -> None:
        """See `OpenStream`."""
        self._settle()
        super().keep(snapshot)

    def _settle(self) -> None:
        """A chunk of it that waits is taken before anything else happens."""
        if self._waits:
            self._together.take()

    async def _accept(self, first_frame: int, data: bytes, capture_times_ns: Sequence[int], came: float) -> None:
        taking = self.session.take(first_frame, data, capture_times_ns)
        try:
            is_over = False
            while not is_over:
                # What is taken is handed over before others have their turn: one of them may end the stream.
                if self.goes_behind:
                    async with self.back_row:
                        is_over = self._take_piece(taking, came, BEHIND_TURN_S)
                    await let_others_go_on()
                else:
                    is_over = self._take_piece(taking, came, TURN_S)
                    if not is_over:
                        await asyncio.sleep(0)
                if self._submitted - self.stream.passed >= self._queue_frames:
                    await self._wait_for_room()
                if self._ending:
                    return
        except asyncio.CancelledError:
            # Its client sends again what has not been taken, from a frame on: a chunk is taken as a whole.
            if self.resumable is not None and not self._ending:
                rest = list(taking)
                self._submitted += sum(map(weight, rest))
                self._engine.submit(self.stream, rest, came)
            raise

    def _take_piece(self, taking: Iterator[Taken], came: float, turn_s: float) -> bool:
        """Hands some of a chunk to the engine; whether that was the last of it.

        Everything that waits counts, be it a frame, a gap or the mere end of a chunk: a client may send nothing else.
        """
        until = monotonic() + turn_s
        items: list[Item] = []
        size = 0
        is_over = True
        for item in taking:
            items.append(item)
            size += weight(item)
            if size >= min(PIECE, self._queue_frames) or monotonic() >= until:
                is_over = False
                break
        self._submitted += size
        if items:
            self._engine.submit(self.stream, items, came)
        return is_over

    async def outputs(self) -> AsyncIterator[Output]:
        """What the stream gives, to its end; then raises the error with which it failed, if it did."""
        while True:
            while self._outputs:
                output = self._outputs.popleft()
                self._written(1)
                if self.resumable is not None:
                    if self.resumable.seen.covers(output):
                        continue
                    self.resumable.sent.add(output)
                yield output
            if self.ended.done():
                if failure := self.ended.exception():
                    assert isinstance(failure, CoreError)
                    raise afresh(failure)
                return
            self._changed.clear()
            await self._changed.wait()

    def deliver(self, delivery: Delivery) -> None:
        """The engine has got further."""
        outputs = delivery.outputs
        if self._held_acks is not None:
            ended = delivery.summary is not None or delivery.error is not None
            outputs, passed_over = self._held_acks.sift(outputs, to_the_end=ended)
            self._written(passed_over)
        self._outputs.extend(outputs)
        super().deliver(delivery)
        if self._submitted - delivery.passed <= self._queue_frames // 2:
            self._room.set()
        if outputs or self.released:
            self._changed.set()

    def through(self, frames: int, passed: int, now: float) -> None:
        """See `OpenStream`."""
        self._again += 1
        self.deliver(Delivery(self.stream, [Ack(frames)], passed))

    @property
    def attached(self) -> bool:
        """Whether it has a call."""
        return self.call is not None

    @property
    def _mid_chunk(self) -> bool:
        return self._accepting

    def acknowledge(self, ack: Ack) -> None:
        """Its client is to hear of this."""
        if self.attached:
            self._again += 1
            self._put(ack)

    def give_up(self, error: CoreError) -> None:
        """Its client takes nothing: its call is ended with this error."""
        self.error = error
        self.abandon(error)

    def abandon(self, error: CoreError | None = None) -> None:
        """No one wants anything more of it: its call ends."""
        self.given_up = True
        if self.call is not None:
            self.call.end(error)

    def detach(self, error: CoreError) -> asyncio.Event | None:
        """Takes it from its call; see `OpenStream`."""
        if self.call is None:
            return None
        self.call.end(error)
        return self.call.over

    def park(self) -> None:
        """Its call has broken."""
        self._settle()
        self.call = None

    def unsent(self) -> list[Output]:
        """What waits for a call."""
        return list(self._outputs)

    def resume(self, seen: Seen) -> None:
        """What its client has not seen comes next."""
        assert self.resumable is not None
        again = self.resumable.sent.since(seen)
        self.resumable.sent.take_back(len(again))
        self.resumable.seen = seen
        self._outputs.extendleft(reversed(again))
        self._again += len(again)
        self.active_at = monotonic()

    def _end_input(self, reason: EndReason, error: CoreError | None) -> list[Item]:
        self._room.set()
        return super()._end_input(reason, error)

    def _stop(self, error: CoreError) -> None:
        super()._stop(error)
        if self._held_acks is not None:
            self._held_acks.stop()
        self._room.set()
        self._changed.set()

    def _put(self, output: Output) -> None:
        self._outputs.append(output)
        self._changed.set()

    async def _wait_for_room(self) -> None:
        while not self._ending and self._submitted - self.stream.passed > self._queue_frames // 2:
            self._room.clear()
            await self._room.wait()
