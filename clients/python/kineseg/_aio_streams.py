"""Many streams on one call, for asyncio: one task reads what the server says, another one sends what is queued."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import TracebackType
from typing import Self, Unpack

import grpc
from numpy.typing import ArrayLike

from kineseg._aio_reading import AsyncReading
from kineseg._arguments import wait
from kineseg._base_stream import CallSettings
from kineseg._base_streams import BaseSharedStream, BaseStreams, Opening
from kineseg._config import StreamChoices, StreamConfig
from kineseg._errors import KinesegError
from kineseg._events import Event, FrameResult, Reconnected
from kineseg._pulse import Pulse
from kineseg._resuming import may_pass
from kineseg._sending import PerStream
from kineseg._stream import GIVE_UP_S
from kineseg.v1 import segmentation_pb2 as pb

Call = grpc.aio.StreamStreamCall[pb.SegmentManyRequest, pb.SegmentManyResponse]
Connect = Callable[[], Call]


class AsyncSharedStream(BaseSharedStream):
    """One of many streams on a call, for asyncio; opened by `AsyncStreams.open`."""

    _owner: AsyncStreams

    async def send(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None = None,
        *,
        timestamps_ns: ArrayLike | None = None,
        first_frame: int | None = None,
    ) -> None:
        """Send frames of this stream; see `Stream.send`."""
        await self._owner.send({self: frames}, timestamps, timestamps_ns=timestamps_ns, first_frame=first_frame)

    async def end_input(self) -> None:
        """Nothing more will be sent to this stream: it ends with its summary, and the others go on."""
        self._owner._change(self._protocol.end_input)

    def cancel(self) -> None:
        """Give this stream up; the others go on."""
        self._owner._change(self._protocol.cancel)


class AsyncStreams(BaseStreams[AsyncSharedStream], AsyncReading):
    """Many streams that share one call; `Streams` for asyncio, which explains arguments, methods and errors.

    Made by `AsyncClient.streams`, and to be entered with ``async with``. One task may send while another one reads, and
    several may send to different streams.
    """

    def __init__(self, connect: Connect, configure: Callable[..., StreamConfig], settings: CallSettings) -> None:
        super().__init__(settings, configure)
        self._connect = connect
        self._call: Call | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = Pulse()  # callers wait for what the reader brings
        self._queued = Pulse()  # the writer waits for what callers queue

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self._finish()
        finally:
            await self._end_tasks(GIVE_UP_S if self._cancels() else 0.0)

    async def open(self, config: StreamConfig | None = None, **choices: Unpack[StreamChoices]) -> AsyncSharedStream:
        """Open a stream; see `Streams.open`."""
        [stream] = await self.open_all([self._configure(config, choices)])
        stream._protocol.require_opened()
        return stream

    async def open_all(self, configs: Iterable[StreamConfig]) -> list[AsyncSharedStream]:
        """Open streams, all at once; those that could not be opened have their `error`."""
        streams = [AsyncSharedStream(config, self) for config in self._configs(configs)]
        left = streams
        tries = self._settings.tries()
        while True:
            tries.begin()
            await self._open_once(left)
            left = [stream for stream in left if stream.error is not None and may_pass(stream.error)]
            if not tries.failed([stream.error for stream in left if stream.error is not None]):
                break
            await asyncio.sleep(tries.wait_s)
        return streams

    async def send(
        self,
        frames: Mapping[AsyncSharedStream, ArrayLike],
        timestamps: PerStream[AsyncSharedStream, ArrayLike] = None,
        *,
        timestamps_ns: PerStream[AsyncSharedStream, ArrayLike] = None,
        first_frame: PerStream[AsyncSharedStream, int] = None,
    ) -> None:
        """Send frames of several streams at once; see `Streams.send`.

        A `send` that is cancelled has taken some of the frames: `frames_sent` of each stream says up to which.
        """
        sending = self._sending(frames, timestamps, timestamps_ns, first_frame)
        try:
            self._protocol.sent_by(asyncio.current_task())
            await self._wait(sending.admit)
        finally:
            sending.end()
            self._queued()
        sending.raise_first()

    async def flush(self) -> None:
        """Send what waits for its chunk to fill, and wait until the server has processed everything sent."""
        self._protocol.push()
        await self._wait(self._protocol.settled)

    async def end_input(self) -> None:
        """Nothing more will be sent to any stream, and none opened: all end with their summaries."""
        self._change(self._protocol.end_input)

    def cancel(self) -> None:
        """Give all streams up; events that arrived can still be read."""
        if self._cancels():
            asyncio.get_running_loop().call_later(GIVE_UP_S, self._end_call)
        else:
            self._end_call()

    def _cancels(self) -> bool:
        """Gives all up; whether the server gets to know, which then ends the call."""
        self._change(self._protocol.cancel)
        return self._protocol.gives_up

    async def poll(
        self,
        timeout: float = 0.0,  # noqa: ASYNC109 - the twin of Streams.poll
    ) -> list[tuple[AsyncSharedStream, Event | FrameResult | Reconnected | KinesegError]]:
        """What has arrived and was not read, without waiting for more; see `Streams.poll`."""
        wait_s = wait("timeout", timeout)
        if not self._protocol.readable and wait_s:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wait(lambda: self._protocol.readable)
        self._give_up_silent()
        return self._protocol.unread.read_all()  # type: ignore[return-value]  # only these are opened here

    def __aiter__(self) -> AsyncIterator[tuple[AsyncSharedStream, Event | FrameResult | Reconnected | KinesegError]]:
        """Everything until all streams have ended; see `Streams`.

        Raises:
            UsageError: This task sends and has not called `end_input`: to read while still sending use `poll`.
        """
        self._protocol.begin_reading(asyncio.current_task())
        return self

    async def __anext__(self) -> tuple[AsyncSharedStream, Event | FrameResult | Reconnected | KinesegError]:
        while True:
            await self._wait(lambda: self._protocol.readable)
            item = self._protocol.unread.read()
            if item is not None:
                return item  # type: ignore[return-value]
            if self._protocol.over:
                raise StopAsyncIteration

    async def _finish(self) -> None:
        self._change(self._protocol.end_input)
        await self._wait(lambda: self._protocol.over)
        self._protocol.unread.raise_first()

    def _change(self, change: Callable[[], None]) -> None:
        change()
        self._arrived()
        self._queued()

    async def _open_once(self, streams: list[AsyncSharedStream]) -> None:
        members = self._attempt(streams)
        self._protocol.require_input()
        if not self._protocol.calling:
            self._begin_reading(self._protocol)
        self._protocol.ask(members)
        self._queued()
        opening = Opening(members, self._protocol, self._settings.timeout)
        try:
            while not opening.decided():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(opening.left_s()):
                        await self._arrived.wait()
        except BaseException:
            opening.give_up()
            raise
        self._open_unanswered(opening)

    def _ask_again(self, number: int, call: Call) -> float | None:
        """See `ManyProtocol.ask_again`; a call in which no stream goes on ends."""
        unread = self._protocol.count_unread()
        try:
            return self._protocol.ask_again(number)
        except KinesegError:
            self._settings.abandon(call)
            return None
        finally:
            if unread != self._protocol.count_unread():
                self._arrived()
