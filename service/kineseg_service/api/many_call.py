"""One `SegmentMany` call: one task reads it, one opens its sessions, one lets them take their chunks, one answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import CoreError, StepFailed
from kineseg_core.events import EndReason

from kineseg_service.api.many_request import chunks_of
from kineseg_service.api.many_sessions import ManySessions
from kineseg_service.api.opening import HALF_CLOSED_S, Openings
from kineseg_service.api.status import Context, send
from kineseg_service.config import Settings
from kineseg_service.errors import Idle, LimitReached, afresh
from kineseg_service.logs import get_logger
from kineseg_service.metrics import Metrics
from kineseg_service.streams.at_once import AtOnce
from kineseg_service.streams.feeder import TOGETHER
from kineseg_service.streams.live import LiveStreams
from kineseg_service.streams.member import MemberStream
from kineseg_service.streams.sent_columns import SentColumns

_log = get_logger(__name__)


class ManyCall:
    """The sessions of one call.

    Args:
        context: The call.
        openings: What opens sessions.
        streams: All open streams.
        metrics: Where errors are counted.
        settings: Limits.
    """

    def __init__(
        self, context: Context, openings: Openings, streams: LiveStreams, metrics: Metrics, settings: Settings
    ) -> None:
        self._context = context
        self._openings = openings
        self._streams = streams
        self._settings = settings
        self._sessions = ManySessions(context, openings, streams, metrics, settings)
        self._feeder, self._outgoing = self._sessions.feeder, self._sessions.outgoing
        self._at_once = AtOnce(self._feeder)
        self._caught_up = asyncio.Event()
        self._wait_s = 0.0  # until more may come, as its caller has sent too much
        self._input_over = False

    async def run(self, first: pb.SegmentManyRequest | None, requests: AsyncIterator[pb.SegmentManyRequest]) -> None:
        """Serves the call to its end.

        Raises:
            InvalidRequest: A request could not be taken apart; its sessions have been ended with that.
            Idle: It has had no session for too long, or its client takes nothing.
            ClientGoneError: There is no client any more.
        """
        tasks = [
            asyncio.create_task(self._read(first, requests)),
            asyncio.create_task(self._sessions.open_all()),
            asyncio.create_task(self._feeder.run()),
        ]
        self._streams.at_drain.add(self._outgoing.changed.set)
        try:
            await self._answer()
        finally:
            self._streams.at_drain.discard(self._outgoing.changed.set)
            for task in tasks:
                task.cancel()
            await self._sessions.leave_all()
        if self._sessions.error is not None:
            raise afresh(self._sessions.error)

    # What comes.

    async def _read(self, first: pb.SegmentManyRequest | None, requests: AsyncIterator[pb.SegmentManyRequest]) -> None:
        """Takes requests until the client half-closes or one cannot be taken apart."""
        try:
            if first is not None:
                await self._take(first)
                async for request in requests:
                    if self._wait_s > 0:  # as long as nothing is read, the client cannot send
                        wait_s, self._wait_s = self._wait_s, 0.0
                        await asyncio.sleep(wait_s)
                    await self._take(request)
                    while self._outgoing.is_full:
                        self._caught_up.clear()
                        await self._caught_up.wait()
            # A client that is gone ends its requests as well, and its call is cancelled in a moment.
            if any(member.resumable is not None and not member.finishing for member in self._sessions.members.values()):
                await asyncio.sleep(HALF_CLOSED_S)
            if self._context.done():
                return
            self._end_input(EndReason.COMPLETED, None)
        except CoreError as error:
            self._end_input(EndReason.REJECTED, error)
        except asyncio.CancelledError:
            raise
        except Exception:
            failure = StepFailed("the call could not be read")
            _log.exception("reading failed", error_id=failure.error_id)
            self._end_input(EndReason.REJECTED, failure)

    def _end_input(self, reason: EndReason, error: CoreError | None) -> None:
        self._input_over = True
        self._sessions.end_all(reason, error)
        self._outgoing.changed.set()

    async def _take(self, request: pb.SegmentManyRequest) -> None:
        for wanted in request.opens:
            self._sessions.ask(wanted)
        if request.sessions or request.data:
            await self._take_chunks(chunks_of(request))
        for number in request.ends:
            self._sessions.end(number)
        for number in request.cancels:
            await self._sessions.cancel(number)

    async def _take_chunks(self, sent: SentColumns) -> None:
        """Chunks have come for sessions: a turn's work of them at a time."""
        for begin in range(0, len(sent.numbers), TOGETHER):
            if begin:
                await asyncio.sleep(0)
            self._take_some(sent, range(begin, min(begin + TOGETHER, len(sent.numbers))), monotonic())

    def _take_some(self, sent: SentColumns, those: range, now: float) -> None:
        members, is_paced = self._sessions.members, self._openings.share.is_paced
        late, frames = (those, 0) if is_paced else self._at_once.take(members, sent, those, now)
        offered: list[MemberStream] = []
        try:
            for chunk in late:
                number, data = sent.numbers[chunk], sent.data_of(chunk)
                member = members.get(number)
                if member is None:
                    self._sessions.pass_over(number)
                    continue
                if is_paced and not self._may_send(member, data):
                    continue
                size = len(data) // member.frame_bytes
                frames += size
                if member.offer(sent.firsts[chunk], data, sent.times_of(chunk), size, now):
                    offered.append(member)
        finally:
            if not is_paced:
                self._openings.share.take_frames(frames, 0)
            self._feeder.offered(offered)

    def _may_send(self, member: MemberStream, data: bytes) -> bool:
        """Counts what its caller sends; more than that may send ends the session."""
        try:
            wait_s = self._openings.share.take_frames(len(data) // member.frame_bytes, len(data))
        except LimitReached as error:
            member.finish(EndReason.REJECTED, error)
            return False
        self._wait_s = max(self._wait_s, wait_s)
        return True

    # What goes back.

    async def _answer(self) -> None:
        """Sends what there is in one message, and so on to the end of the call."""
        limit_s, clock = self._settings.idle_timeout_s, asyncio.get_running_loop().time
        try:
            # One timer for all that is waited for: it costs as much as a dozen chunks to make another each time.
            async with asyncio.timeout(None) as patience:
                while True:
                    while self._outgoing:
                        idle_s, waits_for = 2 * limit_s, "the client has not read what was sent"
                        patience.reschedule(clock() + idle_s)
                        await self._send()
                        patience.reschedule(None)
                    if not self._sessions:
                        if self._input_over or self._streams.draining:
                            return
                        idle_s, waits_for = limit_s, "the call has had no session"
                        patience.reschedule(clock() + idle_s)
                    self._outgoing.changed.clear()
                    await self._outgoing.changed.wait()
        except TimeoutError:
            raise Idle(f"{waits_for} for {idle_s:g} s") from None

    async def _send(self) -> None:
        sending = self._outgoing.collect()
        for member, error in sending.ended:
            self._sessions.ended(member, error)
        for error in sending.failed:
            self._sessions.count(error)
        await send(self._context, sending.message)
        for member, outputs in sending.taken:
            member.written(outputs)
        self._caught_up.set()
