"""The remote calls where a server has several processes: whichever a client reaches answers for all of them."""

from __future__ import annotations

from kineseg.v1 import segmentation_pb2 as pb

from kineseg_service.access.caller import current_caller
from kineseg_service.access.limits import Limits
from kineseg_service.api.cursor import METADATA
from kineseg_service.api.servicer import Servicer
from kineseg_service.api.siblings import Siblings
from kineseg_service.api.status import Context, send
from kineseg_service.api.watch_all import WatchAll
from kineseg_service.config import Settings
from kineseg_service.logs import harmless
from kineseg_service.metrics import Metrics
from kineseg_service.streams.tenants import EventLogs


class SharedServicer(Servicer):
    """Segments in this process, and asks all of them whatever is about sessions.

    Args:
        logs: The events of every tenant in this process.
        metrics: Where errors are counted.
        settings: Limits.
        limits: Those of callers.
        siblings: All processes.
    """

    def __init__(
        self, logs: EventLogs, metrics: Metrics, settings: Settings, limits: Limits, siblings: Siblings
    ) -> None:
        super().__init__(logs, metrics, settings, limits)
        self._siblings = siblings
        self._watching = 0

    async def WatchEvents(  # type: ignore[override]  # noqa: N802
        self, request: pb.WatchEventsRequest, context: Context
    ) -> None:
        """Streams the events of all sessions."""
        free = self._limits.of(current_caller.get()).take_watcher()
        watch = WatchAll(self._siblings, request)
        self._watching += 1
        self._count_watchers()
        try:
            async with watch.begun():
                await context.send_initial_metadata(((METADATA, watch.cursor),))
                async for message in watch:
                    await send(context, message)
        finally:
            free()
            self._watching -= 1
            self._count_watchers()

    async def _elsewhere(self, stream_id: str, token: str) -> bytes:
        """What is kept of a stream that another process has had; empty: none."""
        return await self._siblings.take_stream(stream_id, token)

    async def ListSessions(  # noqa: N802
        self, request: pb.ListSessionsRequest, context: Context
    ) -> pb.ListSessionsResponse:
        """Lists the open sessions."""
        answers = await self._siblings.ask_all("ListSessions", request, pb.ListSessionsResponse)
        sessions = [session for answer in answers for session in answer.sessions]
        return pb.ListSessionsResponse(sessions=sorted(sessions, key=lambda session: session.opened_unix_ns))

    async def GetSession(  # noqa: N802
        self, request: pb.GetSessionRequest, context: Context
    ) -> pb.GetSessionResponse:
        """Describes one session and its closed segments."""
        return await self._siblings.ask_owner("GetSession", request, pb.GetSessionResponse)

    async def CloseSession(  # noqa: N802
        self, request: pb.CloseSessionRequest, context: Context
    ) -> pb.CloseSessionResponse:
        """Ends a session as if its client had half-closed."""
        return await self._siblings.ask_owner("CloseSession", request, pb.CloseSessionResponse)

    async def TeachName(  # noqa: N802
        self, request: pb.TeachNameRequest, context: Context
    ) -> pb.TeachNameResponse:
        """Teaches a name by an example; where that is a segment, the process of its session does."""
        if request.WhichOneof("example") != "segment":
            return await super().TeachName(request, context)
        return await self._siblings.ask_owner("TeachName", request, pb.TeachNameResponse)

    def _count_watchers(self) -> None:
        with harmless("metrics"):
            self._metrics.watchers(self._watching)
