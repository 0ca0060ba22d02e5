"""The asynchronous stream: one task reads what the server says, another one sends what is queued."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import grpc
from numpy.typing import ArrayLike

from kineseg._aio_status import CallStatus
from kineseg._aio_waiting import AsyncWaiting
from kineseg._base_stream import BaseStream, CallSettings
from kineseg._config import StreamConfig
from kineseg._errors import Cancelled, ClientClosed, Internal, KinesegError, Timeout
from kineseg._events import Event, FrameResult, Reconnected
from kineseg._protocol import StreamProtocol
from kineseg._pulse import Pulse
from kineseg._retry import delays, wait_s
from kineseg._stream import BROKEN, GIVE_UP_S
from kineseg.v1 import segmentation_pb2 as pb

Call = grpc.aio.StreamStreamCall[pb.SegmentRequest, pb.SegmentResponse]
Connect = Callable[[], Call]


class AsyncStream(BaseStream, AsyncWaiting):
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
        for delay in (*delays(self._settings.retries), None):
            address = self._settings.address()
            try:
                await self._open_once()
                break
            except KinesegError as error:
                if delay is None or not error.retryable:
                    raise
                delay = wait_s(delay, error)
            self._settings.move_on(address)
            await asyncio.sleep(delay)
        return self

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self._finish()
        finally:
            if self._cancels() and self._tasks:
                await asyncio.wait(self._tasks, timeout=GIVE_UP_S)
            self._end_call()
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

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
            KinesegError: What ended the call, once everything before it was read.
        """
        protocol = self._protocol
        protocol.occupy("reading")
        try:
            if not protocol.readable and timeout > 0:
                try:
                    async with asyncio.timeout(timeout):
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
        """Gives the stream up; whether the server is yet to be told, which then ends the call."""
        self._protocol.cancel()
        self._arrived()
        self._queued()
        return self._protocol.gives_up

    def _end_call(self) -> None:
        if self._call is not None:
            self._call.cancel()

    async def _finish(self) -> None:
        protocol = self._protocol
        protocol.end_input()
        await self._wait(lambda: protocol.over)
        protocol.raise_once()

    async def _open_once(self) -> None:
        protocol = self._new_attempt()
        call, status = self._begin_call(protocol)
        self._tasks = {asyncio.create_task(self._receive(protocol, call, status), name="kineseg-reader"), *self._tasks}
        try:
            try:
                async with asyncio.timeout(self._settings.timeout):
                    await self._wait(lambda: protocol.decided_opening)
            except TimeoutError:
                self._settings.renew(call)
                protocol.finish(Timeout(f"the server did not open the stream in {self._settings.timeout:g} s"))
            if protocol.opened is None:
                protocol.raise_once()
        except BaseException:
            self.cancel()
            raise

    def _begin_call(self, protocol: StreamProtocol) -> tuple[Call, CallStatus]:
        """A call, and the task that sends in it."""
        number = protocol.begin_call()
        call = self._call = self._connect()
        status = CallStatus(call, self._settings.error)
        writer = asyncio.create_task(self._transmit(protocol, call, status, number), name="kineseg-writer")
        self._tasks.add(writer)
        writer.add_done_callback(self._tasks.discard)
        return call, status

    async def _transmit(self, protocol: StreamProtocol, call: Call, status: CallStatus, number: int) -> None:
        """What the writer does, until nothing more will be sent in a call."""
        try:
            while True:
                while not protocol.request_ready(number):
                    await self._queued.wait()
                request = protocol.next_request(number)
                if request is None:
                    break
                await call.write(request)
            if not call.done():
                await call.done_writing()
        except Exception as error:
            failure = Internal(f"sending to the stream failed: {error!r}")
            if call.done():  # as it nearly always has; the reader raises the reason, once it has read what came before
                await status.error()
                if not status.lost:
                    return
            if protocol.resumes:
                call.cancel()  # and the reader makes another
                return
            self._end(protocol, call, failure)

    async def _receive(self, protocol: StreamProtocol, call: Call, status: CallStatus) -> None:
        """What the reader does, for as long as the stream lives."""
        failure = await self._read(protocol, call, status)
        settings = self._settings
        address = settings.address()
        while True:
            call.cancel()
            moves = protocol.outage is not None or (failure is not None and failure.reason != "")
            outage = protocol.broke(failure, settings.limits.reconnect_s, settings.addresses)
            wait_s = None if outage is None else protocol.next_attempt_s()
            self._arrived()
            self._queued()
            if outage is None or wait_s is None:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    while not protocol.over:
                        await self._arrived.wait()
            if protocol.over:
                return
            if moves:
                settings.move_on(address)
            address = settings.address()
            try:
                call, status = self._begin_call(protocol)
            except KinesegError as error:
                failure = error
                continue
            patience_s = outage.patience_s(settings.limits.stall_s, settings.timeout)
            opening = asyncio.get_running_loop().call_later(patience_s, settings.abandon, call)
            failure = await self._read(protocol, call, status, opening)
            opening.cancel()

    async def _read(
        self, protocol: StreamProtocol, call: Call, status: CallStatus, opening: asyncio.TimerHandle | None = None
    ) -> KinesegError | None:
        """Takes what comes in a call, to its end; how it ended, unless well. The first message cancels `opening`."""
        failure: KinesegError | None = None
        try:
            with contextlib.suppress(grpc.RpcError):  # its status may be made up
                async for response in call:
                    if opening is not None:
                        opening.cancel()
                    protocol.receive(response)
                    self._arrived()
                    self._queued()
            failure = await status.error()
        except KinesegError as error:  # what came is not what the contract says may come
            failure = error
            failure.reason = failure.reason or BROKEN
        except asyncio.CancelledError:
            failure = Cancelled("the call was cancelled")
            if self._settings.is_closed():
                failure = ClientClosed()
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the loop is ending
                protocol.finish(failure)
        except Exception as error:  # whatever it is, the callers must not wait for ever
            failure = Internal(f"reading the stream failed: {error!r}", reason=BROKEN)
            failure.__cause__ = error
        return failure

    def _end(self, protocol: StreamProtocol, call: Call, failure: KinesegError | None) -> None:
        protocol.finish(failure)
        self._arrived()
        self._queued()
        call.cancel()
