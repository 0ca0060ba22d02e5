"""The remote calls: they convert and delegate, and know nothing of how a stream is segmented."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import TypeVar

from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc
from kineseg_core.errors import Full, InvalidRequest
from kineseg_core.events import EndReason
from kineseg_core.generic import SCRATCH
from kineseg_core.naming import Example, NamedExamples
from kineseg_core.profile_json import profile_to_json
from kineseg_core.stream_ids import time_ordered_uuid

from kineseg_service.access.caller import current_caller
from kineseg_service.access.limits import Limits
from kineseg_service.api import convert
from kineseg_service.api.cursor import METADATA, cursor_of, positions_of
from kineseg_service.api.joints import joints_message
from kineseg_service.api.many_call import ManyCall
from kineseg_service.api.one_call import OneCall
from kineseg_service.api.opening import Openings
from kineseg_service.api.rooms import Rooms, TenantRooms
from kineseg_service.api.status import Context, send
from kineseg_service.config import Settings
from kineseg_service.errors import Draining, Idle, Loading
from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics
from kineseg_service.names.by_segment import check_learns, teach_segment
from kineseg_service.streams.event_log import EventLog
from kineseg_service.streams.tenants import EventLogs
from kineseg_service.streams.watcher import Watcher

Request = TypeVar("Request")


class Servicer(pb_grpc.SegmentationServiceServicer):
    """Implements `kineseg.v1.SegmentationService`.

    Args:
        logs: The events of every tenant, for watchers.
        metrics: Where errors are counted.
        settings: Limits.
        limits: Those of callers.
    """

    def __init__(self, logs: EventLogs, metrics: Metrics, settings: Settings, limits: Limits) -> None:
        self._logs = logs
        self._watchers = 0
        self._metrics = metrics
        self._settings = settings
        self._limits = limits
        self._server_id = settings.server_id or str(time_ordered_uuid(time.time_ns()))
        self._rooms: TenantRooms | None = None
        self._draining = False
        self._opening: Counter[str] = Counter()  # by tenant, streams that have not sent their configuration yet

    def serve(self, rooms: TenantRooms) -> None:
        """The models have been loaded: from now on calls are answered."""
        self._rooms = rooms

    def refuse(self) -> None:
        """The server is shutting down: from now on streams are refused."""
        self._draining = True

    async def Segment(  # type: ignore[override]  # writes to the context instead of yielding  # noqa: N802
        self, request_iterator: AsyncIterator[pb.SegmentRequest], context: Context
    ) -> None:
        """Segments one stream."""
        openings = self._for_opening()
        first = await self._first(request_iterator)
        await OneCall(context, openings, self._ready().streams, self._settings).run(first, request_iterator)

    async def SegmentMany(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.SegmentManyRequest], context: Context
    ) -> None:
        """Segments many streams."""
        openings = self._for_opening()
        first = await self._first(request_iterator)
        call = ManyCall(context, openings, self._ready().streams, self._metrics, self._settings)
        await call.run(first, request_iterator)

    async def WatchEvents(  # type: ignore[override]  # noqa: N802
        self, request: pb.WatchEventsRequest, context: Context
    ) -> None:
        """Streams the events of all sessions."""
        kinds = convert.kinds_from(list(request.kinds))
        log = self._logs.of(current_caller.get().tenant)
        watcher = self._watcher(log, request, kinds)
        if self._watchers >= self._settings.max_watchers:
            most = self._settings.max_watchers
            raise Full(f"all {most} watchers are taken; try again later", maximum=most)
        free = self._limits.of(current_caller.get()).take_watcher()
        name = log.name
        self._watchers += 1
        try:
            self._count_watchers()
            # The client may wait for these before it goes on: it then misses nothing.
            await context.send_initial_metadata(((METADATA, cursor_of({name: watcher.position})),))
            async for watched in watcher:
                message = pb.WatchEventsResponse(
                    session_id=watched.session_id,
                    event=pb.Event.FromString(watched.event),
                    dropped=watched.dropped,
                    cursor=cursor_of({name: watched.position}),
                    log_changed=watched.log_changed,
                )
                await send(context, message)
        finally:
            free()
            self._watchers -= 1
            self._count_watchers()

    async def ListModels(  # noqa: N802
        self, request: pb.ListModelsRequest, context: Context
    ) -> pb.ListModelsResponse:
        """Lists the models."""
        rooms = self._ready()
        default = rooms.opener.default_model
        models = [
            convert.model_message(decoder, is_default=name == default) for name, decoder in rooms.decoders.items()
        ]
        if self._settings.scratch:
            models.append(convert.scratch_message(is_default=default == SCRATCH))
        return pb.ListModelsResponse(models=sorted(models, key=lambda model: model.name))

    async def ListSessions(  # noqa: N802
        self, request: pb.ListSessionsRequest, context: Context
    ) -> pb.ListSessionsResponse:
        """Lists the open sessions."""
        streams = self._ready().streams
        return pb.ListSessionsResponse(
            sessions=[
                convert.session_message(
                    live.session.config, live.session.intake, progress, parked=streams.is_parked(live)
                )
                for live, progress in await streams.progress()
            ]
        )

    async def GetSession(  # noqa: N802
        self, request: pb.GetSessionRequest, context: Context
    ) -> pb.GetSessionResponse:
        """Describes one session and its closed segments."""
        streams = self._ready().streams
        live = streams.get(request.session_id)
        progress, segments = await streams.describe(live)
        joints = live.session.config.joints
        return pb.GetSessionResponse(
            session=convert.session_message(
                live.session.config, live.session.intake, progress, parked=streams.is_parked(live)
            ),
            segments=[convert.segment_message(segment) for segment in segments],
            joints=None if joints is None else joints_message(joints),
            profile=profile_to_json(live.session.intake.profile()) if request.with_profile else "",
        )

    async def CloseSession(  # noqa: N802
        self, request: pb.CloseSessionRequest, context: Context
    ) -> pb.CloseSessionResponse:
        """Ends a session as if its client had half-closed."""
        live = self._ready().streams.get(request.session_id)
        live.end(EndReason.CLOSED)
        summary = await asyncio.shield(live.ended)
        return pb.CloseSessionResponse(summary=convert.summary_message(summary))

    async def TeachName(  # noqa: N802
        self, request: pb.TeachNameRequest, context: Context
    ) -> pb.TeachNameResponse:
        """Teaches a name by an example."""
        rooms = self._ready()
        kind = request.WhichOneof("example")
        if kind == "segment":
            wanted = request.segment
            taught = await teach_segment(
                rooms.streams, rooms.names, wanted.session_id, wanted.segment_id, request.name, request.source
            )
        elif kind == "point":
            point = request.point
            model = point.model or rooms.opener.default_model
            check_learns(model, "point.model")
            example = Example.of(point.embedding, request.source)
            taught = await rooms.names.teach(request.name, model, example, point.model_sha256)
        else:
            raise InvalidRequest("an example is missing: a finished segment, or a point", field="example")
        return pb.TeachNameResponse(name=self._taught(taught))

    async def ListNames(  # noqa: N802
        self, request: pb.ListNamesRequest, context: Context
    ) -> pb.ListNamesResponse:
        """Lists the names that have been taught."""
        names = self._ready().names.names(request.model)
        return pb.ListNamesResponse(names=[self._taught(taught) for taught in names])

    async def ForgetName(  # noqa: N802
        self, request: pb.ForgetNameRequest, context: Context
    ) -> pb.ForgetNameResponse:
        """Forgets a name."""
        return pb.ForgetNameResponse(examples=await self._ready().names.forget(request.name, request.model))

    def _taught(self, taught: NamedExamples) -> pb.TaughtName:
        return convert.taught_message(taught, in_use=self._ready().names.in_use(taught))

    def _ready(self) -> Rooms:
        if self._rooms is None:
            raise Loading("the server is loading its models; try again in a moment")
        return self._rooms.of(current_caller.get().tenant)

    def _for_opening(self) -> Openings:
        if self._draining:
            raise Draining("the server is shutting down; try another one")
        share = self._limits.of(current_caller.get())
        return Openings(self._ready(), share, self._settings, self._server_id, self._elsewhere)

    async def _first(self, requests: AsyncIterator[Request]) -> Request | None:
        """A call's first message; None if its client has half-closed instead."""
        tenant, most = current_caller.get().tenant, self._settings.max_opening
        opening = self._opening.total()
        # Of several tenants none may have more than what it leaves to the others.
        if opening >= most or (self._settings.tokens is not None and self._opening[tenant] > most - opening):
            raise Full(
                f"{opening} streams have not sent their configuration yet, and no more are waited for; try again later",
                maximum=most,
            )
        limit = min(self._settings.opening_timeout_s, self._settings.idle_timeout_s)
        self._opening[tenant] += 1
        try:
            async with asyncio.timeout(limit):
                return await anext(aiter(requests), None)
        except TimeoutError:
            raise Idle(f"no configuration has come within {limit:g} s", field="config") from None
        finally:
            self._opening[tenant] -= 1

    async def move_away(self, stream_id: str, token: str) -> bytes:
        """Another process of the server goes on with a stream; see `Resumption.move_away`."""
        rooms = self._ready()
        return await rooms.streams.resumption.move_away(stream_id, token, rooms.opener)

    async def _elsewhere(self, stream_id: str, token: str) -> bytes:
        """What is kept of a stream that another process has had; empty: none."""
        return b""

    def _count_watchers(self) -> None:
        with harmless("metrics"):
            self._metrics.watchers(self._watchers)
            self._metrics.uses("max_watchers", self._watchers / self._settings.max_watchers)

    def _watcher(self, log: EventLog, request: pb.WatchEventsRequest, kinds: list[str]) -> Watcher:
        positions = positions_of(request.cursor)
        position = positions.get(log.name)
        # Who comes from other logs, or wants all there is, has seen nothing of this one.
        if position is None and request.cursor:
            position = 0 if positions else log.begin
        return Watcher(
            log,
            request.session_id,
            kinds,
            position,
            log_changed=bool(positions) and log.name not in positions,
            on_drop=self._metrics.dropped,
        )
