"""The sessions of one `SegmentMany` call: they are opened one after the other, and come to their end, or leave."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from functools import partial

from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import CoreError, Full, InvalidRequest, StepFailed
from kineseg_core.events import EndReason

from kineseg_service.api.codes import code_of
from kineseg_service.api.many_outgoing import Outgoing
from kineseg_service.api.opening import Openings, seen_of
from kineseg_service.api.status import Context
from kineseg_service.config import Settings
from kineseg_service.errors import afresh
from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics
from kineseg_service.streams.live import LiveStreams
from kineseg_service.streams.member import MemberStream
from kineseg_service.streams.resumption import Finished

_log = get_logger(__name__)


class ManySessions:
    """Those of a call, which are its members once they are open; their `Owner`.

    Args:
        context: The call.
        openings: What opens sessions.
        streams: All open streams.
        metrics: Where errors are counted.
        settings: Limits.

    Attributes:
        members: Those that are open, by number.
        feeder: What gives these their turns.
        outgoing: What is to be sent of all.
        error: With which the call is to end, if with any.
    """

    def __init__(
        self, context: Context, openings: Openings, streams: LiveStreams, metrics: Metrics, settings: Settings
    ) -> None:
        self.members: dict[int, MemberStream] = {}
        self.feeder = streams.feeder()
        self.outgoing = Outgoing(self.members, openings, settings)
        self.error: CoreError | None = None
        # What members say of themselves is to be sent, and nothing else.
        self.delivered, self.acknowledged = self.outgoing.given, self.outgoing.acknowledged
        self._context = context
        self._openings = openings
        self._streams = streams
        self._metrics = metrics
        self._most = settings.max_sessions_per_call
        self._highest = 0  # number of the session that was asked for last
        self._wanted: deque[pb.OpenSession] = deque()
        self._opening: dict[int, bool] = {}  # by number, whether its input has been ended already
        self._leaving = 0  # how many have left whose names are not free yet
        self._asked = asyncio.Event()

    def __bool__(self) -> bool:
        """Whether any is open, is being opened, or has not quite left."""
        return bool(self.members or self._opening or self._leaving)

    # What is asked of them.

    def ask(self, wanted: pb.OpenSession) -> None:
        """A session is to be opened."""
        if wanted.session != self._highest + 1:
            raise InvalidRequest(
                f"sessions are numbered in the order of opening: {self._highest + 1} comes next, not {wanted.session}",
                field="opens.session",
            )
        self._highest = wanted.session
        self._opening[wanted.session] = False
        most = self._most
        if len(self.members) + len(self._opening) > most:
            message = f"the call has {most} open sessions, and no more may be: open another call"
            self._refuse(wanted.session, Full(message, field="opens", maximum=most))
            return
        self._wanted.append(wanted)
        self._asked.set()

    def end(self, number: int) -> None:
        """A session's input is over."""
        member = self.members.get(number)
        if member is not None:
            member.finish(EndReason.COMPLETED)
        elif self._is_opening(number, "ends"):
            self._opening[number] = True

    async def cancel(self, number: int) -> None:
        """A session is given up."""
        async with self._openings.departures:
            member = self.members.get(number)
            if member is not None:
                self._leave(member, None)
            elif self._is_opening(number, "cancels"):
                self._refuse(number, None)

    def pass_over(self, number: int) -> None:
        """A chunk has come for a session that is not open; it is refused where that is still to be."""
        if self._is_opening(number, "sessions"):
            message = "chunks may be sent once the session is open"
            self._refuse(number, InvalidRequest(message, field="sessions", reason="MESSAGE_UNEXPECTED"))

    def end_all(self, reason: EndReason, error: CoreError | None) -> None:
        """The input of the call is over, as it has been half-closed or with an error."""
        self.error = None if error is None else afresh(error)
        for number in list(self._opening):
            if error is None:
                self._opening[number] = True
            else:
                self._refuse(number, error)
        for member in list(self.members.values()):
            member.finish(reason, error)

    def _is_opening(self, number: int, field: str) -> bool:
        """Whether the session, which is not open, will be; else it is over, and what comes for it is passed over."""
        if not 1 <= number <= self._highest:
            raise InvalidRequest(f"there is no session {number}: it has not been opened in this call", field=field)
        return number in self._opening

    # They come and go.

    async def open_all(self) -> None:
        """Opens what is asked for, one after the other, until it is cancelled."""
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
        make = partial(MemberStream, number=number, owner=self, feeder=self.feeder)
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
                self.outgoing.finished(number, found, found.since(seen_of(wanted.resume)))
            return
        member = found
        if is_ended is None:  # it has been refused, or given up, meanwhile
            member.given_up = not resumes
            self._openings.leave(member, over=False)
            return
        self.members[number] = member
        config = member.session.config
        _log.info(
            "stream opened",
            session=config.session_id, stream=config.stream_id, model=config.model, rate_hz=config.frame_rate_hz,
            peer=self._context.peer(), number=number,
        )  # fmt: skip
        self.outgoing.opened(member, resumed=resumes)
        if resumes:
            backlog = member.attach(number, self, self.feeder)
            if backlog.outputs:
                self.outgoing.given(member, backlog)
            if member.acked:
                self.outgoing.acknowledged(member, member.acked)
        if is_ended:
            member.finish(EndReason.COMPLETED)

    def _refuse(self, number: int, error: CoreError | None) -> None:
        """A session that is being opened will not be."""
        if self._opening.pop(number, None) is not None:
            self.outgoing.closed(number, error)

    def _leave(self, member: MemberStream, error: CoreError | None) -> None:
        """A session leaves the call without having come to its end."""
        if self.members.pop(member.number, None) is None:
            return
        self.outgoing.forget(member)
        _log.info("stream cancelled", session=member.session_id, stream=member.stream_id, given_up=member.given_up)
        member.given_up = True
        free = self._openings.leave(member, over=False)
        if free is None:
            self.outgoing.closed(member.number, error)
            return
        self._leaving += 1

        def left(_: asyncio.Future[None]) -> None:
            self._leaving -= 1
            self.outgoing.closed(member.number, error)

        free.add_done_callback(left)

    async def leave_all(self) -> None:
        """The call is over: what is left of its sessions leaves it, each in its turn."""
        self.outgoing.hold(self.members.values())
        while self.members:
            with suppress(asyncio.CancelledError):  # once more: it need not wait
                await self._openings.departures.turn()
            if self.members:
                _, member = self.members.popitem()
                self.outgoing.hold([member])  # what it has given meanwhile
                _log.info("stream cancelled", session=member.session_id, stream=member.stream_id)
                self._openings.leave(member, over=False)

    def gave_up(self, member: MemberStream, error: CoreError) -> None:
        """A member cannot go on, or its client takes nothing."""
        self._leave(member, error)

    def lost(self, member: MemberStream, error: CoreError) -> None:
        """A member has been resumed by another call, or is left in a store for another server."""
        self.outgoing.hold([member])
        del self.members[member.number]
        if self._streams.draining:  # its client learns of it by the end of the call
            self.error = error
            self.outgoing.changed.set()
        else:
            self.outgoing.closed(member.number, error)
        self._openings.leave(member, over=False)

    def ended(self, member: MemberStream, error: CoreError | None) -> None:
        """A session has come to its end, and its client is about to learn of it."""
        del self.members[member.number]
        # Before its client learns of it, so that the client's next stream finds room.
        self._openings.leave(member, over=True)
        log = _log.bind(session=member.session_id, stream=member.stream_id)
        if error is None:
            summary = member.ended.result()
            log.info("stream ended", reason=summary.reason.value, frames=summary.frames)
        else:
            log.info("stream ended", error=error.message, code=code_of(type(error)).name)
        self.count(error)

    def count(self, error: CoreError | None) -> None:
        """Counts with what a session has ended, if with anything."""
        if error is not None:
            with harmless("metrics"):
                self._metrics.error(code_of(type(error)).name)
