"""From a stream's configuration to an open stream, and what its client learns of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

import kineseg
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import BadSnapshot, CoreError
from kineseg_core.snapshot import Snapshot

from kineseg_service.access.limits import Share
from kineseg_service.api import convert
from kineseg_service.api.rooms import Rooms
from kineseg_service.api.status import fields_of
from kineseg_service.config import Settings
from kineseg_service.errors import Draining, LimitReached, ResumeExpired, ResumeUnknown, StoreUnreachable
from kineseg_service.logs import get_logger
from kineseg_service.stores.store import FIRST
from kineseg_service.streams.live import NAME_PATIENCE_S, Make
from kineseg_service.streams.one_by_one import OneByOne
from kineseg_service.streams.open_stream import OpenStream
from kineseg_service.streams.record import Ended, Record, read_moved, read_record
from kineseg_service.streams.resumable import Resumable, Seen
from kineseg_service.streams.resumption import Finished

Opened = TypeVar("Opened", bound=OpenStream)
_log = get_logger(__name__)
HALF_CLOSED_S = 1.0
"""For so long a call that looks half-closed is watched for whether it has broken."""
# A configuration up to this size is read at once.
_SHORT_BYTES = 4096


class Openings:
    """Opens streams.

    Args:
        rooms: Where.
        share: What the caller may have.
        settings: Limits.
        server_id: The server's name.
        elsewhere: Has a stream, by id and token, moved here from another process of the server: what is kept of it, see
            `Resumption.move_away`.
    """

    def __init__(
        self,
        rooms: Rooms,
        share: Share,
        settings: Settings,
        server_id: str,
        elsewhere: Callable[[str, str], Awaitable[bytes]],
    ) -> None:
        self._rooms = rooms
        self.share = share
        self._settings = settings
        self._server_id = server_id
        self._elsewhere = elsewhere
        self._until = monotonic() + NAME_PATIENCE_S

    @property
    def departures(self) -> OneByOne:
        """Where streams take turns to end, or to be left."""
        return self._rooms.streams.departures

    @property
    def keeps(self) -> bool:
        """Streams may be kept in a store."""
        return self._rooms.keeping is not None

    async def open(self, config: pb.StreamConfig, make: Make[Opened]) -> Opened:
        """Opens a stream, as what `make` makes, once it is its turn.

        Raises:
            CoreError: The configuration is refused, or there is no room; names the field within `config`.
        """
        rooms = self._rooms
        self.share.count_opening()
        with fields_of("config"):
            if config.ByteSize() <= _SHORT_BYTES:
                wanted = convert.stream_request(config)
            else:
                # What may be long is read while other streams go on.
                wanted = await asyncio.to_thread(convert.stream_request, config)
            live: Opened | None = None
            async with rooms.streams.arrivals:
                session = rooms.opener.session(wanted, rooms.names.known)
                free = await self._take_share(session.config.frame_rate_hz)
                plan = session.config.plan
                own = None if plan is None else rooms.scratch.found(plan)
                if plan is None or own is not None:  # nothing has to be made first: one turn is enough
                    with _or_given_back(free):
                        live = await rooms.streams.open_in_turn(session, make, own)
            if live is None:
                with _or_given_back(free):
                    if plan is not None and own is None:
                        own = await asyncio.to_thread(rooms.scratch.get, plan)
                    live = await rooms.streams.open(session, make, own, until=self._until)
            live.at_close = free
            if config.resumable and self._settings.resume_s:
                live.resumable = Resumable(self._settings.resume_bytes)
                if rooms.keeping is not None:
                    rooms.streams.resumption.keep(live, rooms.keeping)
            return live

    async def _take_share(self, rate_hz: float) -> Callable[[], None]:
        """Takes what a stream takes of its tenant's limits, which parked streams give back where it is needed."""
        while True:
            try:
                return self.share.take_stream(rate_hz)
            except LimitReached:
                if not await self._rooms.streams.resumption.make_room():
                    raise

    async def resume(
        self, wanted: pb.ResumeStream, kind: type[Opened], make: Callable[[float], Make[Opened]]
    ) -> Opened | Finished:
        """A client comes back to its stream, see `Resumption.resume`.

        One that another process of the server has, or that was kept in a store, goes on here from what is kept of it.

        Args:
            wanted: What the client says.
            kind: What calls like this one open.
            make: Makes one that is not here, for how long its acknowledgements may be held back.
        """
        resumption = self._rooms.streams.resumption
        try:
            try:
                return await resumption.resume(wanted.stream_id, wanted.resume_token, seen_of(wanted), kind)
            except ResumeUnknown:
                taken = await self._taken_over(wanted, make)
                if taken is None:
                    raise
        except CoreError:
            resumption.refused()
            raise
        resumption.resumed(wanted.stream_id)
        return taken

    async def _taken_over(
        self, wanted: pb.ResumeStream, make: Callable[[float], Make[Opened]]
    ) -> Opened | Finished | None:
        rooms, token = self._rooms, wanted.resume_token
        if rooms.streams.draining:
            return None
        try:
            moved = await self._elsewhere(wanted.stream_id, token)
            taken = await self._take(wanted.stream_id, token, is_here=bool(moved))
            if moved:
                generation, data = read_moved(moved)
                generation = max(generation + 1, taken[0] if taken else FIRST)
            elif taken:
                generation, data = taken
            else:
                return None
            record = read_record(data)
            if isinstance(record, Ended):
                return self._ended(record, token, seen_of(wanted))
            snapshot = Snapshot.of(record.snapshot)
            async with rooms.streams.arrivals:
                session = snapshot.reopened(rooms.opener, rooms.names.known)
            plan = session.config.plan
            own = None if plan is None else await asyncio.to_thread(rooms.scratch.get, plan)
            free = self.share.take_stream(session.config.frame_rate_hz)
            with _or_given_back(free):
                live = await rooms.streams.open(session, make(record.ack_interval_s), own, snapshot, until=self._until)
            if live.ending:  # as the server shuts down meanwhile: others can have it
                rooms.streams.close(live)
                raise Draining("the server is shutting down; try another one")
        except BadSnapshot as error:
            raise ResumeExpired(
                f"the stream cannot go on from what was kept of it: {error}; open another one", field="resume.stream_id"
            ) from error
        live.at_close = free
        live.resumable = self._resumable(record, token)
        try:
            live.resume(seen_of(wanted))
        except ResumeExpired:
            rooms.streams.close(live)
            raise
        if rooms.keeping is not None:
            rooms.streams.resumption.keep(live, rooms.keeping, generation, None if moved else snapshot.frames)
        _log.info("stream taken over", session=live.session_id, stream=live.stream_id, frames=snapshot.frames)
        return live

    async def _take(self, stream_id: str, token: str, *, is_here: bool) -> tuple[int, bytes] | None:
        """See `Keeping.take`; a stream that is here all the same need not be in the store."""
        if self._rooms.keeping is None:
            return None
        try:
            return await self._rooms.keeping.take(self._rooms.streams.tenant, stream_id, token)
        except StoreUnreachable:
            if not is_here:
                raise
            return None

    def _ended(self, record: Ended, token: str, seen: Seen) -> Finished:
        """The end of a stream that was another server's; raises `ResumeExpired` where more of it is missing."""
        resumable = self._resumable(record, token)
        finished = Finished(resumable, record.described, record.received, record.error, monotonic())
        finished.since(seen)
        return finished

    def _resumable(self, record: Record | Ended, token: str) -> Resumable:
        resumable = Resumable(self._settings.resume_bytes, token, record.before)
        for output in record.outputs:
            resumable.sent.add(output)
        return resumable

    def leave(self, live: OpenStream, *, over: bool) -> asyncio.Future[None] | None:
        """A call lets go of its stream; see `Resumption.leave`."""
        return self._rooms.streams.resumption.leave(live, over=over)

    def opened(self, live: OpenStream, max_chunk_frames: int, *, resumed: bool = False) -> pb.Opened:
        """What the client of a stream learns of it."""
        opened = self._opened(live, max_chunk_frames)
        live.describe = lambda live: self._opened(live, max_chunk_frames).SerializeToString()
        if resumed:
            opened.resumed.CopyFrom(_resumed(live.session.intake.received, ended=live.ending))
        return opened

    def _opened(self, live: OpenStream, max_chunk_frames: int) -> pb.Opened:
        config, intake = live.session.config, live.session.intake
        is_default = config.model == self._rooms.opener.default_model
        return pb.Opened(
            stream_id=config.stream_id,
            session_id=config.session_id,
            opened_unix_ns=config.opened_unix_ns,
            server_id=self._server_id,
            server_version=kineseg.__version__,
            model=convert.model_message(live.stream.decoder, intake.channels, is_default=is_default),
            latency_s=config.latency_s,
            boundary_threshold=config.boundary_threshold,
            alarms_per_hour=config.alarms_per_hour,
            reports_per_hour=config.reports_per_hour,
            max_chunk_frames=max_chunk_frames,
            max_gap_s=intake.max_gap_s,
            resume_token="" if live.resumable is None else live.resumable.token,
            resume_s=0.0 if live.resumable is None else self._settings.resume_s,
        )


@contextmanager
def _or_given_back(free: Callable[[], None]) -> Iterator[None]:
    """What has been taken is given back where what it is for fails within."""
    try:
        yield
    except BaseException:
        free()
        raise


def seen_of(wanted: pb.ResumeStream) -> Seen:
    """How far a client that comes back has come."""
    return Seen(wanted.last_seq, wanted.last_result_frame if wanted.HasField("last_result_frame") else -1)


def resumed_message(opened: bytes, next_frame: int, *, ended: bool) -> pb.Opened:
    """What a client that has come back learns of its stream."""
    answer = pb.Opened.FromString(opened)
    answer.resumed.CopyFrom(_resumed(next_frame, ended=ended))
    return answer


def _resumed(next_frame: int, *, ended: bool) -> pb.Resumed:
    return pb.Resumed(next_frame=next_frame, input_ended=ended)
