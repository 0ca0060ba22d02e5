"""What segments the frames of a source: a server, or this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from kineseg import (
    AsyncClient,
    AsyncSharedStream,
    AsyncStreams,
    Decisions,
    Event,
    FrameResult,
    KinesegError,
    Model,
    Reconnected,
    Segmenter,
    UsageError,
    WrongChannels,
)
from kineseg.sources import Frames, SourceInfo

from kineseg_cli.failures import CommandError
from kineseg_cli.live.listener import LiveStream

Item = Event | FrameResult | Reconnected


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How streams are segmented; see `kineseg.StreamConfig`."""

    model: str = ""
    latency_s: float | None = None
    boundary_threshold: float | None = None
    alarms_per_hour: float | None = None
    reports_per_hour: float | None = None
    decisions: Decisions = "all"
    frame_results: bool = False
    rules: str | Path = ""
    name_bank: Path | None = None

    def fields(self) -> dict[str, Any]:
        """Those that every stream has, as keyword arguments."""
        return {
            "latency_s": self.latency_s,
            "boundary_threshold": self.boundary_threshold,
            "alarms_per_hour": self.alarms_per_hour,
            "reports_per_hour": self.reports_per_hour,
            "decisions": self.decisions,
            "frame_results": self.frame_results,
            "rules": self.rules,
        }


@dataclass(eq=False)
class Opened:
    """A stream of an engine.

    Attributes:
        stream: What listeners know of it.
        handle: The engine's own.
        base: Index of its first frame in the source; what is sent counts from there.
        ended: Whether the server has ended it.
    """

    stream: LiveStream
    handle: Any
    base: int | None = field(default=None)
    ended: bool = False

    def first_frame(self, frames: Frames) -> int:
        """Index of the first of these frames in the stream."""
        if self.base is None:
            self.base = frames.first_frame
        return frames.first_frame - self.base


class Engine(Protocol):
    """Segments streams, any number at once."""

    @property
    def where(self) -> str:
        """What it is, for people."""

    @property
    def away_s(self) -> float:
        """For how many seconds it has not been there; it is waited for. 0: it is there."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def open(self, info: SourceInfo) -> Opened:
        """Begin a stream.

        Raises:
            KinesegError: It was refused.
            CommandError: The model cannot take such frames.
        """

    async def send(self, opened: Opened, frames: Frames) -> None:
        """Send frames; raises KinesegError if the stream has failed."""

    async def end(self, opened: Opened) -> None:
        """Nothing more will be sent to it."""

    async def teach(self, stream_id: str, segment_id: int, name: str) -> None:
        """Teach a name by a finished segment; raises KinesegError if that cannot be done."""

    def __aiter__(self) -> AsyncIterator[tuple[Opened, Item | KinesegError]]:
        """What is decided, of all streams, until `finish`; an error: this stream has failed."""

    async def finish(self) -> None:
        """No more streams."""


class ServerEngine:
    """A server somewhere; all streams share one call, which goes on if it breaks or the server is restarted.

    Args:
        address: HOST:PORT.
        choices: How streams are segmented.
        own: It runs in this process, whatever the environment says of others.
    """

    def __init__(self, address: str, choices: Choices, *, own: bool = False) -> None:
        self._address = address
        self._choices = choices
        self._access: dict[str, Any] = {"tls": False, "token": ""} if own else {}
        self._stack = AsyncExitStack()
        self._opened: dict[AsyncSharedStream, Opened] = {}

    @property
    def where(self) -> str:
        """The server."""
        return f"server {self._address}, model {self._model.name} {self._model.version}"

    @property
    def away_s(self) -> float:
        """See `Engine`."""
        return max((stream.away_s for stream in self._opened), default=0.0)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._client = await stack.enter_async_context(AsyncClient(self._address, **self._access))
            self._model = _chosen(await self._client.models(), self._choices.model)
            self._streams: AsyncStreams = await stack.enter_async_context(self._client.streams())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def open(self, info: SourceInfo) -> Opened:
        """See `Engine`."""
        check_model(info, self._model)
        shared = await self._streams.open(
            rate=info.rate,
            model=self._model.name,
            joints=info.joints,
            channels=info.channels,
            **self._choices.fields(),
        )
        model = shared.opened.model
        opened = Opened(LiveStream(info, shared.stream_id, model.name, model.rate, shared.opened), shared)
        self._opened[shared] = opened
        return opened

    async def send(self, opened: Opened, frames: Frames) -> None:
        """See `Engine`."""
        await opened.handle.send(
            frames.values, timestamps_ns=frames.capture_times_ns, first_frame=opened.first_frame(frames)
        )

    async def end(self, opened: Opened) -> None:
        """See `Engine`."""
        await opened.handle.end_input()

    async def teach(self, stream_id: str, segment_id: int, name: str) -> None:
        """See `Engine`."""
        await self._client.teach_name(name, session_id=stream_id, segment_id=segment_id)

    async def __aiter__(self) -> AsyncIterator[tuple[Opened, Item | KinesegError]]:
        """See `Engine`."""
        async for shared, item in self._streams:
            opened = self._opened.get(shared)
            if opened is not None:
                yield opened, item

    async def finish(self) -> None:
        """See `Engine`."""
        await self._streams.end_input()


class LocalEngine:
    """This process: no server and no gRPC; it needs ``kineseg[local]``. One thread of its own does the work.

    Args:
        choices: How streams are segmented.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._model_name = choices.model or "motion"
        self._items: asyncio.Queue[tuple[Opened, Item | KinesegError] | None] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kineseg-segmenter")

    @property
    def where(self) -> str:
        """This process."""
        return f"this process, model {self._model_name}"

    @property
    def away_s(self) -> float:
        """Never."""
        return 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def open(self, info: SourceInfo) -> Opened:
        """See `Engine`."""

        def load() -> Segmenter:
            return Segmenter.load(
                self._model_name,
                rate=info.rate,
                joints=info.joints,
                channels=info.channels,
                name_bank=self._choices.name_bank,
                **self._choices.fields(),
            )

        try:
            segmenter = await asyncio.get_running_loop().run_in_executor(self._thread, load)
        except WrongChannels as error:
            raise CommandError(_refused(info, str(error))) from error
        model = segmenter.model
        return Opened(LiveStream(info, "", model.name, model.rate), segmenter)

    async def send(self, opened: Opened, frames: Frames) -> None:
        """See `Engine`."""
        first = opened.first_frame(frames)
        await self._do(
            opened,
            lambda: opened.handle.update(frames.values, timestamps_ns=frames.capture_times_ns, first_frame=first),
        )

    async def end(self, opened: Opened) -> None:
        """See `Engine`."""
        await self._do(opened, opened.handle.finish)

    async def teach(self, stream_id: str, segment_id: int, name: str) -> None:
        """See `Engine`."""
        raise UsageError("names are taught through a server: kineseg serve --label-bank names.json, and --server here")

    async def __aiter__(self) -> AsyncIterator[tuple[Opened, Item | KinesegError]]:
        """See `Engine`."""
        while (found := await self._items.get()) is not None:
            yield found

    async def finish(self) -> None:
        """See `Engine`."""
        self._items.put_nowait(None)

    async def _do(self, opened: Opened, work: Callable[[], list[Item]]) -> None:
        """Does it in the thread; what is decided arrives also where the caller no longer waits."""
        loop = asyncio.get_running_loop()

        def put(items: list[Item]) -> None:
            for item in items:
                self._items.put_nowait((opened, item))

        def run() -> None:
            items = work()
            loop.call_soon_threadsafe(put, items)

        await loop.run_in_executor(self._thread, run)


def check_model(info: SourceInfo, model: Model) -> None:
    """Raises CommandError if a model cannot take the frames of a source."""
    if model.takes_any_channels:
        return
    if info.joints is None:
        if set(info.channels) != set(model.channels):
            raise CommandError(_refused(info, f"model {model.name!r} takes other channels"))
        return
    from kineseg.motion import MotionError
    from kineseg.motion.joint_mapping import map_joints

    try:
        map_joints(tuple(info.joints.names), info.joints.mapping)
    except MotionError as error:
        raise CommandError(_refused(info, str(error))) from error


def _refused(info: SourceInfo, why: str) -> str:
    whose = f" of {info.performer}" if info.performer else ""
    return f"what arrives{whose} cannot be segmented: {why}; --model scratch takes any signal"


def _chosen(models: tuple[Model, ...], name: str) -> Model:
    for model in models:
        if model.name == name or (not name and model.is_default):
            return model
    known = ", ".join(model.name for model in models) or "none"
    raise CommandError(f"the server has no {f'model {name!r}' if name else 'default model'}; it has: {known}")
