"""The asynchronous stream: one task reads what the server says, another one sends what is queued."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import grpc
from numpy.typing import ArrayLike

from kineseg._aio_reading import AsyncReading
from kineseg._arguments import wait
from kineseg._base_stream import BaseStream, CallSettings
from kineseg._config import StreamConfig
from kineseg._errors import Timeout
from kineseg._events import Event, FrameResult, Reconnected
from kineseg._pulse import Pulse
from kineseg._stream import GIVE_UP_S
from kineseg.v1 import segmentation_pb2 as pb

Call = grpc.aio.StreamStreamCall[pb.SegmentRequest, pb.SegmentResponse]
Connect = Callable[[], Call]


class AsyncStream(BaseStream, AsyncReading):
    """Frames go in, events come out, both at once; `Stream` for asyncio.

    Made by `AsyncClient.stream`. Entering it opens it. Leaving it ends the input and waits until the server has
    processed everything; leaving it by an exception cancels it. What ended the call, if it failed, is raised once: by
    the first of `send`, `flush`, reading or leaving that meets it. One task may send while another one reads.
    """

    def __init__(self, connect: Connect, config: StreamConfig, settings: CallSettings) -> None:
        super().__init__(config, settings)
        self._connect = connect
        self._call: Call | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = Pulse()  # callers wait for what the reader brings
        self._queued = Pulse()  # the writer waits for what callers queue

    async def open(self) -> Self:
        """Open the stream; entering it does so too.

        Raises:
            KinesegError: The server refused, or was not there within the client's timeout and retries.
            StreamClosed: It was opened before.
        """
        self._begin()
        tries = self._settings.tries()
        while True:
            with tries:
                await self._open_once()
                return self
            await asyncio.sleep(tries.wait_s)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self._finish()
        finally:
            await self._end_tasks(GIVE_UP_S if self._cancels() else 0.0)

    async def send(
        self,
        frames: ArrayLike,
        timestamps: ArrayLike | None = None,
        *,
        timestamps_ns: ArrayLike | None = None,
        first_frame: int | None = None,
    ) -> None:
        """Send frames; waits while too much is on its way (see `Limits.in_flight_s`).

        A `send` that is cancelled has taken some of its frames: `frames_sent` says up to which.

        Args:
            frames: ``(T, C)``, or ``(C,)`` for one frame; numbers up to 1e9, channels as in the configuration.
                NaN: the value is missing, and the channel's last value is held until another comes. With joints
                ``(T, J, 3)`` positions, or ``(J, 3)`` for one frame, NaN: the joint is not seen; with their rotations
                rows ``(T, W)``, see `Joints.rows`.
            timestamps: ``(T,)`` capture times in seconds, increasing, or a scalar for one frame. For every frame of the
                stream or for none. A clock that contradicts the stream's rate ends it with `InvalidRequest`.
            timestamps_ns: The same in whole nanoseconds, instead.
            first_frame: Index of the first of these frames, for a source that lost some. Default: it follows the last.

        Raises:
            InvalidRequest: A value cannot be used; nothing was sent and the stream goes on.
            WrongChannels: The frames have another number of channels or joints; nothing was sent and the stream goes
                on.
            BacklogError: Too many events are unread; `BacklogError.accepted` frames were taken.
            StreamClosed: The stream takes no more frames.
            KinesegError: What ended the call.
        """
        protocol = self._protocol
        protocol.occupy("sending to")
        try:
            batch = protocol.check_from(frames, timestamps, timestamps_ns, first_frame, asyncio.current_task())
            await self._wait(lambda: protocol.admit(batch))
        finally:
            protocol.vacate("sending to")
            self._queued()

    async def flush(self) -> None:
        """Send what waits for its chunk to fill, and wait until the server has processed everything sent."""
        self._protocol.push()
        await self._wait(self._protocol.settled)

    async def end_input(self) -> None:
        """Nothing more will be sent: the server processes what it has and ends with the summary, which can be read."""
        self._protocol.end_input()
        self._queued()

    def cancel(self) -> None:
        """Give the stream up; events that arrived can still be read."""
        if self._cancels():
            asyncio.get_running_loop().call_later(GIVE_UP_S, self._end_call)
        else:
            self._end_call()

    async def poll(self, timeout: float = 0.0) -> list[Event | FrameResult | Reconnected]:  # noqa: ASYNC109 - the twin of Stream.poll
        """What has arrived and was not read, without waiting for more.

        Args:
            timeout: Seconds to wait for the first of it if there is nothing.

        Raises:
            InvalidRequest: `timeout` is no number.
            KinesegError: What ended the call, once everything before it was read.
        """
        wait_s = wait("timeout", timeout)
        protocol = self._protocol
        protocol.occupy("reading")
        try:
            if not protocol.readable and wait_s:
                try:
                    async with asyncio.timeout(wait_s):
                        await self._wait(lambda: protocol.readable)
                except TimeoutError:
                    return []
            self._give_up_silent()
            return protocol.read_all()
        finally:
            protocol.vacate("reading")

    def __aiter__(self) -> AsyncIterator[Event | FrameResult | Reconnected]:
        """Everything until the stream ends, which is after the summary.

        Raises:
            UsageError: This task sends and has not called `end_input`: to read while still sending use `poll`.
        """
        self._protocol.begin_reading(asyncio.current_task())
        return self

    async def __anext__(self) -> Event | FrameResult | Reconnected:
        protocol = self._protocol
        protocol.occupy("reading")
        try:
            await self._wait(lambda: protocol.readable)
            item = protocol.read()
        finally:
            protocol.vacate("reading")
        if item is None:
            raise StopAsyncIteration
        return item

    def _cancels(self) -> bool:
        """Gives the stream up; whether the server gets to know, which then ends the call."""
        self._protocol.cancel()
        self._arrived()
        self._queued()
        return self._protocol.gives_up

    async def _finish(self) -> None:
        protocol = self._protocol
        protocol.end_input()
        await self._wait(lambda: protocol.over)
        protocol.raise_once()

    async def _open_once(self) -> None:
        protocol = self._new_attempt()
        self._begin_reading(protocol)
        try:
            try:
                async with asyncio.timeout(self._settings.timeout):
                    await self._wait(lambda: protocol.decided_opening)
            except TimeoutError:
                self._settings.renew(self._call)
                protocol.finish(Timeout(f"the server did not open the stream in {self._settings.timeout:g} s"))
            if protocol.opened is None:
                protocol.raise_once()
        except BaseException:
            self.cancel()
            raise
