"""One `SegmentMany` call: one task reads it, one opens its sessions, one lets them take their chunks, one answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from time import monotonic

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import CoreError, Full, InvalidRequest, StepFailed
from kineseg_core.events import EndReason

from kineseg_service.api.codes import code_of
from kineseg_service.api.many_outgoing import Outgoing
from kineseg_service.api.many_request import chunks_of
from kineseg_service.api.opening import HALF_CLOSED_S, Openings, seen_of
from kineseg_service.api.status import Context, send
from kineseg_service.config import Settings
from kineseg_service.errors import Idle, LimitReached, afresh
from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.streams.at_once import AtOnce
from kineseg_service.streams.feeder import TOGETHER
from kineseg_service.streams.live import LiveStreams
from kineseg_service.streams.member import MemberStream
from kineseg_service.streams.resumption import Finished
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
        self._metrics = metrics
        self._settings = settings
        self._feeder = streams.feeder()
        self._at_once = AtOnce(self._feeder)
        self._members: dict[int, MemberStream] = {}
        self._highest = 0  # number of the session that was asked for last
        self._wanted: deque[pb.OpenSession] = deque()
        self._opening: dict[int, bool] = {}  # by number, whether its input has been ended already
        self._leaving = 0  # how many have left whose names are not free yet
        self._asked = asyncio.Event()
        self._outgoing = Outgoing(self._members, openings, settings)
        # What members say of themselves, see `Owner`, is to be sent, and nothing else.
        self.delivered, self.acknowledged = self._outgoing.given, self._outgoing.acknowledged
        self._caught_up = asyncio.Event()
        self._wait_s = 0.0  # until more may come, as its caller has sent too much
        self._input_over = False
        self._error: CoreError | None = None

    async def run(self, first: pb.SegmentManyRequest | None, requests: AsyncIterator[pb.SegmentManyRequest]) -> None:
        """Serves the call to its end.

        Raises:
            InvalidRequest: A request could not be taken apart; its sessions have been ended with that.
            Idle: It has had no session for too long, or its client takes nothing.
            ClientGoneError: There is no client any more.
        """
        tasks = [
            asyncio.create_task(self._read(first, requests)),
            asyncio.create_task(self._open_all()),
            asyncio.create_task(self._feeder.run()),
        ]
        self._streams.at_drain.add(self._outgoing.changed.set)
        try:
            await self._answer()
        finally:
            self._streams.at_drain.discard(self._outgoing.changed.set)
            for task in tasks:
                task.cancel()
            await self._leave_all()
        if self._error is not None:
            raise afresh(self._error)

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
            if any(member.resumable is not None and not member.finishing for member in self._members.values()):
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
        self._error = None if error is None else afresh(error)
        self._input_over = True
        for number in list(self._opening):
            if error is None:
                self._opening[number] = True
            else:
                self._refuse(number, error)
        for member in list(self._members.values()):
            member.finish(reason, error)
        self._outgoing.changed.set()

    async def _take(self, request: pb.SegmentManyRequest) -> None:
        for wanted in request.opens:
            self._ask(wanted)
        if request.sessions or request.data:
            await self._take_chunks(chunks_of(request))
        for number in request.ends:
            member = self._members.get(number)
            if member is not None:
                member.finish(EndReason.COMPLETED)
            elif self._is_opening(number, "ends"):
                self._opening[number] = True
        for number in request.cancels:
            async with self._openings.departures:
                member = self._members.get(number)
                if member is not None:
                    self._leave(member, None)
                elif self._is_opening(number, "cancels"):
                    self._refuse(number, None)

    async def _take_chunks(self, sent: SentColumns) -> None:
        """Chunks have come for sessions: a turn's work of them at a time."""
        for begin in range(0, len(sent.numbers), TOGETHER):
            if begin:
                await asyncio.sleep(0)
            self._take_some(sent, range(begin, min(begin + TOGETHER, len(sent.numbers))), monotonic())

    def _take_some(self, sent: SentColumns, those: range, now: float) -> None:
        members, is_paced = self._members, self._openings.share.is_paced
        late, frames = (those, 0) if is_paced else self._at_once.take(members, sent, those, now)
        offered: list[MemberStream] = []
        try:
            for chunk in late:
                number, data = sent.numbers[chunk], sent.data_of(chunk)
                member = members.get(number)
                if member is None:
                    self._pass_over(number)
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

    def _pass_over(self, number: int) -> None:
        """A chunk has come for a session that is not open; it is refused where that is still to be."""
        if self._is_opening(number, "sessions"):
            message = "chunks may be sent once the session is open"
            self._refuse(number, InvalidRequest(message, field="sessions", reason="MESSAGE_UNEXPECTED"))

    def _ask(self, wanted: pb.OpenSession) -> None:
        """A session is to be opened."""
        if wanted.session != self._highest + 1:
            raise InvalidRequest(
                f"sessions are numbered in the order of opening: {self._highest + 1} comes next, not {wanted.session}",
                field="opens.session",
            )
        self._highest = wanted.session
        self._opening[wanted.session] = False
        most = self._settings.max_sessions_per_call
        if len(self._members) + len(self._opening) > most:
            message = f"the call has {most} open sessions, and no more may be: open another call"
            self._refuse(wanted.session, Full(message, field="opens", maximum=most))
            return
        self._wanted.append(wanted)
        self._asked.set()

    def _is_opening(self, number: int, field: str) -> bool:
        """Whether the session, which is not open, will be; else it is over, and what comes for it is passed over."""
        if not 1 <= number <= self._highest:
            raise InvalidRequest(f"there is no session {number}: it has not been opened in this call", field=field)
        return number in self._opening

    # Sessions come and go.

    async def _open_all(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._wanted:
                wanted = self._wanted.popleft()
                if wanted.session in self._opening:
                    await self._open(wanted)
                    await asyncio.sleep(0)  # those that are refused at once are many, too

    async def _open(self, wanted: pb.OpenSession) -> None:
        number = wanted.session
        make = partial(MemberStream, number=number, owner=self, feeder=self._feeder)
        found: MemberStream | Finished
        resumes = wanted.HasField("resume")
        try:
            if resumes:
                found = await self._openings.resume(wanted.resume, MemberStream, lambda _: make)
            else:
                found = await self._openings.open(wanted.config, make)
        except CoreError as error:
            self._refuse(number, error)
            return
        except asyncio.CancelledError:
            raise
        except Exception:
            failure = StepFailed("the session could not be opened")
            _log.exception("opening failed", error_id=failure.error_id)
            self._refuse(number, failure)
            return
        is_ended = self._opening.pop(number, None)
        if isinstance(found, Finished):
            if is_ended is not None:
                self._outgoing.finished(number, found, found.since(seen_of(wanted.resume)))
            return
        member = found
        if is_ended is None:  # it has been refused, or given up, meanwhile
            member.given_up = not resumes
            self._openings.leave(member, over=False)
            return
        self._members[number] = member
        config = member.session.config
        _log.info(
            "stream opened",
            session=config.session_id, stream=config.stream_id, model=config.model, rate_hz=config.frame_rate_hz,
            peer=self._context.peer(), number=number,
        )  # fmt: skip
        self._outgoing.opened(member, resumed=resumes)
        if resumes:
            backlog = member.attach(number, self, self._feeder)
            if backlog.outputs:
                self._outgoing.given(member, backlog)
            if member.acked:
                self._outgoing.acknowledged(member, member.acked)
        if is_ended:
            member.finish(EndReason.COMPLETED)

    def _refuse(self, number: int, error: CoreError | None) -> None:
        """A session that is being opened will not be."""
        if self._opening.pop(number, None) is not None:
            self._outgoing.closed(number, error)

    def _leave(self, member: MemberStream, error: CoreError | None) -> None:
        """A session leaves the call without having come to its end."""
        if self._members.pop(member.number, None) is None:
            return
        self._outgoing.forget(member)
        _log.info("stream cancelled", session=member.session_id, stream=member.stream_id, given_up=member.given_up)
        member.given_up = True
        free = self._openings.leave(member, over=False)
        if free is None:
            self._outgoing.closed(member.number, error)
            return
        self._leaving += 1

        def left(_: asyncio.Future[None]) -> None:
            self._leaving -= 1
            self._outgoing.closed(member.number, error)

        free.add_done_callback(left)

    async def _leave_all(self) -> None:
        """The call is over: what is left of its sessions leaves it, each in its turn."""
        self._outgoing.hold(self._members.values())
        while self._members:
            with suppress(asyncio.CancelledError):  # once more: it need not wait
                await self._openings.departures.turn()
            if self._members:
                _, member = self._members.popitem()
                self._outgoing.hold([member])  # what it has given meanwhile
                _log.info("stream cancelled", session=member.session_id, stream=member.stream_id)
                self._openings.leave(member, over=False)

    def gave_up(self, member: MemberStream, error: CoreError) -> None:
        """A member cannot go on, or its client takes nothing."""
        self._leave(member, error)

    def lost(self, member: MemberStream, error: CoreError) -> None:
        """A member has been resumed by another call, or is left in a store for another server."""
        self._outgoing.hold([member])
        del self._members[member.number]
        if self._streams.draining:  # its client learns of it by the end of the call
            self._error = error
            self._outgoing.changed.set()
        else:
            self._outgoing.closed(member.number, error)
        self._openings.leave(member, over=False)

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
                    has_sessions = bool(self._members or self._opening or self._leaving)
                    if not has_sessions:
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
            self._ended(member, error)
        for error in sending.failed:
            self._count(error)
        await send(self._context, sending.message)
        for member, outputs in sending.taken:
            member.written(outputs)
        self._caught_up.set()

    def _ended(self, member: MemberStream, error: CoreError | None) -> None:
        """A session has come to its end, and its client is about to learn of it."""
        del self._members[member.number]
        # Before its client learns of it, so that the client's next stream finds room.
        self._openings.leave(member, over=True)
        log = _log.bind(session=member.session_id, stream=member.stream_id)
        if error is None:
            summary = member.ended.result()
            log.info("stream ended", reason=summary.reason.value, frames=summary.frames)
        else:
            log.info("stream ended", error=error.message, code=code_of(type(error)).name)
        self._count(error)

    def _count(self, error: CoreError | None) -> None:
        if error is not None:
            with harmless("metrics"):
                self._metrics.error(code_of(type(error)).name)
