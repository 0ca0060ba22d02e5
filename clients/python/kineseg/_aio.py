"""The asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from numpy.typing import ArrayLike

from kineseg import _wire as wire
from kineseg._aio_calling import AsyncCaller, health_check
from kineseg._aio_stream import AsyncStream
from kineseg._aio_streams import AsyncStreams
from kineseg._aio_watch import AsyncWatch
from kineseg._arguments import flag
from kineseg._config import Decisions, StreamChoices, StreamConfig
from kineseg._core import ClientState, HealthRequest
from kineseg._events import SegmentClosed
from kineseg._info import Health, Model, Segment, SessionDetail, SessionInfo, Totals
from kineseg._mapping import mapped
from kineseg._naming import (
    TaughtName,
    check_one_example,
    example_request,
    names_from_wire,
    plan_example,
    segment_request,
    taught_from_wire,
)
from kineseg._segmentation import Collected, Items, Segmentation, SegmentationPlan, plan_segmentation
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1.segmentation_pb2_grpc import SegmentationServiceStub as Stub

if TYPE_CHECKING:
    from kineseg.motion import Recording


class AsyncClient(AsyncCaller):
    """A connection to a kineseg server, for asyncio; `Client` explains arguments, methods and errors.

    One client serves any number of streams and tasks of one event loop. It connects at its first call, so it may be
    made before the loop runs.
    """

    async def __aenter__(self) -> Self:
        self._enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; streams and watches that are open end with an error."""
        self._state = ClientState.CLOSED
        for call in self._connections.calls():  # older versions of grpcio leave some waiting when the channel is closed
            call.cancel()
        for channel in self._connections.forget():
            await channel.close()

    async def models(self) -> tuple[Model, ...]:
        """The models that the server can run, in the order of their names."""
        return await self._unary(
            lambda channel: Stub(channel).ListModels, pb.ListModelsRequest(), wire.models_from_wire
        )

    async def sessions(self) -> tuple[SessionInfo, ...]:
        """The open sessions, in the order of their opening."""
        return await self._unary(
            lambda channel: Stub(channel).ListSessions, pb.ListSessionsRequest(), wire.sessions_from_wire
        )

    async def session(self, session_id: str, *, with_profile: bool = False) -> SessionDetail:
        """One open session and the segments that it has closed so far; see `Client.session`."""
        request = wire.checked_request(pb.GetSessionRequest, session_id=session_id, with_profile=with_profile)
        return await self._unary(lambda channel: Stub(channel).GetSession, request, wire.session_detail_from_wire)

    async def close_session(self, session_id: str) -> Totals:
        """End a session as if its client had closed it; see `Client.close_session`."""
        request = wire.checked_request(pb.CloseSessionRequest, session_id=session_id)
        return await self._unary(
            lambda channel: Stub(channel).CloseSession, request, lambda answer: wire.totals_from_wire(answer.summary)
        )

    async def health(self) -> Health:
        """Whether the server takes streams; see `Client.health`."""
        return await self._unary(health_check, HealthRequest(), lambda answer: wire.health_from_wire(answer.value))

    def watch(
        self, session_id: str = "", *, kinds: Iterable[str] = (), cursor: str = "", resume: bool = True
    ) -> AsyncWatch:
        """Events of open and future sessions, from when it is entered or awaited; see `Client.watch`."""
        request = self._watch_request(session_id, kinds, cursor)
        self._require_open()
        return AsyncWatch(self._connect_watch, request, self._call_settings(), resume=flag("resume", resume))

    def stream(self, config: StreamConfig | None = None, **choices: Unpack[StreamChoices]) -> AsyncStream:
        """A stream, to be entered with ``async with``; see `Client.stream`."""
        chosen = self._config(config, choices)
        self._require_open()
        return AsyncStream(self._connect, chosen, self._call_settings())

    def streams(self) -> AsyncStreams:
        """Many streams that share one call, to be entered with ``async with``; see `Client.streams`."""
        self._require_open()
        return AsyncStreams(self._connect_many, self._config, self._call_settings())

    async def segment(
        self,
        recording: Recording | ArrayLike,
        *,
        rate: float | None = None,
        channels: Sequence[str] = (),
        model: str = "",
        latency_s: float | None = None,
        boundary_threshold: float | None = None,
        alarms_per_hour: float | None = None,
        reports_per_hour: float | None = None,
        frame_results: bool = False,
        decisions: Decisions = "all",
        session_id: str = "",
        realtime: bool = False,
        chunk_s: float | None = None,
        mapping: Mapping[str, str] | None = None,
        profile: Mapping[str, Any] | None = None,
        return_profile: bool = False,
        rules: str | Path = "",
    ) -> Segmentation:
        """Stream a whole recording and return its finished segmentation; see `Client.segment`."""
        plan = plan_segmentation(
            mapped(recording, mapping),
            models=await self.models(),
            rate=rate,
            channels=channels,
            model=model,
            latency_s=latency_s,
            boundary_threshold=boundary_threshold,
            alarms_per_hour=alarms_per_hour,
            reports_per_hour=reports_per_hour,
            frame_results=frame_results,
            decisions=decisions,
            session_id=session_id,
            realtime=realtime,
            chunk_s=chunk_s,
            profile=profile,
            return_profile=return_profile,
            rules=rules,
        )
        return plan.result(*await self._collect(plan))

    async def teach_name(
        self,
        name: str,
        *,
        session_id: str = "",
        segment_id: int | None = None,
        example: Segment | SegmentClosed | ArrayLike | None = None,
        recording: Recording | ArrayLike | None = None,
        frames: tuple[int, int] | None = None,
        rate: float | None = None,
        channels: Sequence[str] = (),
        model: str = "",
        model_sha256: str = "",
        source: str = "",
        mapping: Mapping[str, str] | None = None,
    ) -> TaughtName:
        """Teach a name by an example; see `Client.teach_name`."""
        check_one_example(session_id, segment_id, example, recording, frames)
        if recording is not None:
            plan = plan_example(
                mapped(recording, mapping),
                frames,
                models=await self.models(),
                rate=rate,
                channels=channels,
                model=model,
                source=source,
            )
            request = plan.request(name, (await self._collect(plan.stream))[0])
        elif example is not None:
            request = example_request(name, example, model, model_sha256, source)
        else:
            request = segment_request(name, session_id, segment_id or 0, source)
        return await self._unary(
            lambda channel: Stub(channel).TeachName, request, lambda answer: taught_from_wire(answer.name)
        )

    async def names(self, model: str = "") -> tuple[TaughtName, ...]:
        """The names that have been taught, in the order of models, then names; `model`: only those of this one."""
        return await self._unary(
            lambda channel: Stub(channel).ListNames,
            wire.checked_request(pb.ListNamesRequest, model=model),
            names_from_wire,
        )

    async def forget_name(self, name: str, *, model: str = "") -> int:
        """Forget a name and return how many examples it had; see `Client.forget_name`."""
        request = wire.checked_request(pb.ForgetNameRequest, name=name, model=model)
        return await self._unary(lambda channel: Stub(channel).ForgetName, request, lambda answer: answer.examples)

    async def _collect(self, plan: SegmentationPlan) -> Collected:
        """Send a plan's frames: all that its stream answers, how many frames were processed, and the profile."""
        items: Items = []
        async with self.stream(plan.config) as stream:
            clock = asyncio.get_running_loop().time
            started = clock()
            for due_s, frames, timestamps in plan.pieces():
                if plan.realtime:
                    await asyncio.sleep(max(0.0, started + due_s - clock()))
                await stream.send(frames, timestamps)
                items += await stream.poll()
            await stream.end_input()
            items += [item async for item in stream]
        return items, stream.frames_processed, stream.profile
