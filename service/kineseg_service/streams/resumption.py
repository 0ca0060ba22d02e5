"""How the streams of one tenant outlive their calls: they are parked, resumed, or kept as what is left to be read."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, TypeVar

from kineseg_core.errors import CoreError, InvalidRequest
from kineseg_core.events import Output
from kineseg_core.kept.sealing import Pieces
from kineseg_core.opening import Opener
from kineseg_core.snapshot import SnapshotWriter

from kineseg_service.errors import Draining, ResumedElsewhere, ResumeExpired, ResumeUnknown
from kineseg_service.logs import get_logger, harmless
from kineseg_service.scheduler.scheduled import Keep
from kineseg_service.stores.store import FIRST
from kineseg_service.streams.house import House
from kineseg_service.streams.keeping import Keeping
from kineseg_service.streams.open_stream import OpenStream
from kineseg_service.streams.record import Ended, in_flight_since_ns, moved, still_needed
from kineseg_service.streams.resumable import Resumable, Seen, same_token
from kineseg_service.streams.written_outputs import WrittenOutputs

Wanted = TypeVar("Wanted", bound=OpenStream)
_log = get_logger(__name__)
# Of so many streams that cannot be resumed any more it is known why.
_MOST_GONE = 1024
_MOST_FINISHED_BYTES = 256 << 20
_PATIENCE_S = 10.0  # for the engine


@dataclass(frozen=True, slots=True)
class Finished:
    """A stream that has come to its end, which its client may not have got.

    Attributes:
        resumable: Its token, and what it has sent.
        described: What its client got when it was opened.
        received: The frame that would come next.
        error: What it has ended with, unless well.
        until: For so long it is kept, by `time.monotonic`.
    """

    resumable: Resumable
    described: bytes
    received: int
    error: CoreError | None
    until: float

    def since(self, seen: Seen) -> list[Output]:
        """What a client that has come so far has not got; see `Sent.since`."""
        return self.resumable.sent.since(seen)


class Streams(Protocol):
    """What is asked of the open streams of a tenant, see `LiveStreams`."""

    @property
    def tenant(self) -> str: ...

    def close(self, live: OpenStream) -> asyncio.Future[None] | None: ...

    def find(self, stream_id: str) -> OpenStream | None: ...

    def watch_idle(self, live: OpenStream) -> None: ...


class Resumption:
    """Lets go of streams when their calls are over, and gives them to calls that resume them.

    Args:
        streams: The open ones.
        house: What they share with those of other tenants.
    """

    def __init__(self, streams: Streams, house: House) -> None:
        self._streams = streams
        self._house = house
        self._finished: OrderedDict[str, Finished] = OrderedDict()
        self._finished_bytes = 0
        self._gone: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def keep(self, live: OpenStream, keeping: Keeping, generation: int = FIRST, durable: int | None = None) -> None:
        """A stream is kept in a store from now on, see `Keeping.begin`."""
        live.beside = keeping.begin(live, self._streams.tenant, lambda: self._taken_over(live), generation, durable)

    def _taken_over(self, live: OpenStream) -> None:
        _log.warning("stream taken over by another server", session=live.session_id, stream=live.stream_id)
        if live.attached:
            live.give_up(ResumedElsewhere("the stream has been resumed at another server, which has it now"))
        else:
            self.drop(live, "another server has it now")

    def leave(self, live: OpenStream, *, over: bool) -> asyncio.Future[None] | None:
        """A call lets go of its stream; `over`: its client has learnt how it ended. See `LiveStreams.close`."""
        resumable = live.resumable
        if self._house.draining and live.beside is not None and not (over or live.given_up or live.ended.done()):
            self._last(live)
            return None
        if resumable is None or live.given_up or (self._house.draining and live.beside is None):
            return self._streams.close(live)
        if over or live.ended.done():
            return self.conclude(live)
        _log.info("stream parked", session=live.session_id, stream=live.stream_id)
        if live.idle_timer is not None:
            live.idle_timer.cancel()
        live.park()
        self._park(live)
        return None

    def _park(self, live: OpenStream) -> None:
        leave = None if live.beside is None else lambda: self._leave_in_store(live)
        self._house.parking.add(live, lambda why: self.drop(live, why), leave)

    def _leave_in_store(self, live: OpenStream) -> asyncio.Future[None] | None:
        """A parked stream makes room; what is in its store, and what its client has kept, are enough to go on."""
        _log.info("stream left in the store", session=live.session_id, stream=live.stream_id)
        assert live.beside is not None
        live.beside.let_go()
        return self._streams.close(live)

    def hand_over(self, live: OpenStream) -> None:
        """The server is shutting down: a stream that is kept in a store is left there for whoever goes on with it."""
        if live in self._house.parking:
            self._house.parking.remove(live)
            self._last(live)
        else:
            live.detach(Draining("the server is shutting down; go on at another one, or at this one once it is back"))

    def _last(self, live: OpenStream) -> None:
        assert live.beside is not None
        if live.idle_timer is not None:
            live.idle_timer.cancel()
        live.park()
        live.beside.last(lambda: self._streams.close(live))

    def conclude(self, live: OpenStream) -> asyncio.Future[None] | None:
        """A stream has ended, with or without a call: its slot and name are given back, what it sent is kept."""
        assert live.resumable is not None
        for output in live.unsent():
            live.resumable.sent.add(output)
        failed = live.ended.exception() if live.ended.done() else None
        error = failed if isinstance(failed, CoreError) else live.error
        finished = self._finished
        finished[live.stream_id] = end = Finished(
            live.resumable, live.describe(live), live.session.intake.received, error, monotonic() + self._keep_s
        )
        if live.beside is not None:
            live.beside.ended(self._kept_end(end))
        self._finished_bytes += end.resumable.sent.size
        while finished and (
            len(finished) > self._house.settings.max_parked
            or self._finished_bytes > _MOST_FINISHED_BYTES
            or next(iter(finished.values())).until < monotonic()
        ):
            stream_id, oldest = finished.popitem(last=False)
            self._finished_bytes -= oldest.resumable.sent.size
            self._remember(stream_id, oldest.resumable, "it has ended")
        return self._streams.close(live)

    def drop(self, live: OpenStream, why: str) -> asyncio.Future[None] | None:
        """A parked stream is given up; see `LiveStreams.close`."""
        _log.info("stream dropped", session=live.session_id, stream=live.stream_id, why=why)
        if live.resumable is not None:
            self._remember(live.stream_id, live.resumable, why)
        return self._streams.close(live)

    async def make_room(self) -> bool:
        """Gives up the tenant's own stream that was parked first; whether there was any."""
        return await self._house.parking.evict(lambda live: self._streams.find(live.stream_id) is live)

    async def resume(self, stream_id: str, token: str, seen: Seen, kind: type[Wanted]) -> Wanted | Finished:
        """A client comes back.

        Returns:
            Its stream, which no call has any more, and which gives from now on what the client has not seen.

        Raises:
            ResumeUnknown: There is no such stream, or the token is not its.
            ResumeExpired: It is not kept any more.
            InvalidRequest: It was opened by another kind of call.
        """
        live = await self._without_call(stream_id, token, kind)
        if live is None:
            return self._over(stream_id, token, seen)
        try:
            live.resume(seen)
        except ResumeExpired:
            self._house.parking.remove(live)
            self.drop(live, "what its client had not seen was not kept any more")
            raise
        self._house.parking.remove(live)
        self._streams.watch_idle(live)
        self.resumed(live.stream_id)
        return live

    async def move_away(self, stream_id: str, token: str, opener: Opener) -> bytes:
        """A client comes back to its stream at another process of the server.

        Returns:
            What is kept of it, see `moved`: it is that process's from now on. Empty: there is none.
        """
        live = await self._without_call(stream_id, token, OpenStream)  # type: ignore[type-abstract]
        if live is not None and live.ending:
            with contextlib.suppress(CoreError):
                await asyncio.shield(live.ended)
            live = await self._without_call(stream_id, token, OpenStream)  # type: ignore[type-abstract]
        if live is None:
            finished = self._finished.get(stream_id)
            is_its = finished is not None and same_token(finished.resumable.token, token)
            return moved(FIRST, self._kept_end(finished)) if finished is not None and is_its else b""
        if self._house.draining:
            return b""
        self._house.parking.remove(live)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                snapshot = await self._snapshot(live, opener)
        except TimeoutError:
            self._park(live)
            return b""
        record = b"".join(live.record(snapshot, WrittenOutputs()))
        data = moved(FIRST if live.beside is None else live.beside.generation, record)
        _log.info("stream moved", session=live.session_id, stream=live.stream_id)
        if live.beside is not None:
            live.beside.let_go()
        free = self._streams.close(live)
        if free is not None:
            await free
        return data

    def _kept_end(self, finished: Finished) -> bytes:
        before, outputs = still_needed(finished.resumable.sent, (), in_flight_since_ns())
        return Ended(before, outputs, finished.described, finished.received, finished.error).written()

    async def _snapshot(self, live: OpenStream, opener: Opener) -> Pieces:
        writer, made = SnapshotWriter(live.session, opener), self._house.loop.create_future()

        def then(snapshot: Pieces) -> None:
            if not made.done():
                made.set_result(snapshot)

        live.keep(lambda: Keep(writer, writer.received(), then))
        found: Pieces = await made
        return found

    async def _without_call(self, stream_id: str, token: str, kind: type[Wanted]) -> Wanted | None:
        """The stream of this id and token, once no call has it any more; none: none is open."""
        while True:
            live = self._streams.find(stream_id)
            resumable = None if live is None else live.resumable
            if live is None or resumable is None or not same_token(resumable.token, token):
                return None
            if not isinstance(live, kind):
                raise InvalidRequest(
                    "the stream was opened by another call: resume with `Segment` what `Segment` opened, and with "
                    "`SegmentMany` what that did",
                    field="resume.stream_id",
                )
            if live in self._house.parking:
                return live
            gone = live.detach(ResumedElsewhere("the stream has been resumed by another call, which has it now"))
            if gone is not None:
                await gone.wait()
            else:
                await asyncio.sleep(0)

    def _over(self, stream_id: str, token: str, seen: Seen) -> Finished:
        """What is left of a stream that is not open."""
        finished = self._finished.get(stream_id)
        if finished is not None and same_token(finished.resumable.token, token):
            if finished.until >= monotonic():
                finished.since(seen)
                self.resumed(stream_id)
                return finished
            del self._finished[stream_id]
            self._finished_bytes -= finished.resumable.sent.size
            self._remember(stream_id, finished.resumable, "it has ended")
        known, why = self._gone.get(stream_id, ("", ""))
        if known and same_token(known, token):
            raise ResumeExpired(f"the stream is not kept any more: {why}; open another one", field="resume.stream_id")
        raise ResumeUnknown(
            "there is no stream of this id that this token resumes, as when the server has been started anew; open "
            "another one",
            field="resume.stream_id",
        )

    @property
    def _keep_s(self) -> float:
        return self._house.settings.resume_s

    def _remember(self, stream_id: str, resumable: Resumable, why: str) -> None:
        self._gone[stream_id] = resumable.token, why
        if len(self._gone) > _MOST_GONE:
            self._gone.popitem(last=False)

    def resumed(self, stream_id: str) -> None:
        """A stream goes on."""
        _log.info("stream resumed", stream=stream_id)
        with harmless("metrics"):
            self._house.metrics.resumed()

    def refused(self) -> None:
        """A stream does not."""
        with harmless("metrics"):
            self._house.metrics.resume_refused()
