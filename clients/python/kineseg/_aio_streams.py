"""Many streams on one call, for asyncio: one task reads what the server says, another one sends what is queued."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
from numpy.typing import ArrayLike

from kineseg._aio_status import CallStatus
from kineseg._aio_waiting import AsyncWaiting
from kineseg._base_stream import CallSettings
from kineseg._base_streams import BaseSharedStream, BaseStreams, Opening
from kineseg._config import StreamChoices, StreamConfig
from kineseg._errors import Cancelled, ClientClosed, Internal, KinesegError
from kineseg._events import Event, FrameResult, Reconnected
from kineseg._pulse import Pulse
from kineseg._retry import delays, wait_s
from kineseg._sending import PerStream
from kineseg._stream import BROKEN, GIVE_UP_S
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


class AsyncStreams(BaseStreams[AsyncSharedStream], AsyncWaiting):
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
            if self._cancels() and self._tasks:
                await asyncio.wait(self._tasks, timeout=GIVE_UP_S)
            self._end_call()
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def open(self, config: StreamConfig | None = None, **choices: Unpack[StreamChoices]) -> AsyncSharedStream:
        """Open a stream; see `Streams.open`."""
        [stream] = await self.open_all([self._configure(config, choices)])
        stream._protocol.require_opened()
        return stream

    async def open_all(self, configs: Iterable[StreamConfig]) -> list[AsyncSharedStream]:
        """Open streams, all at once; those that could not be opened have their `error`."""
        streams = [AsyncSharedStream(self._configure(config, {}), self) for config in configs]
        left = streams
        for delay in (*delays(self._settings.retries), None):
            address = self._settings.address()
            await self._open_once(left)
            left = [stream for stream in left if stream.error is not None and stream.error.retryable]
            if not left or delay is None:
                break
            self._settings.move_on(address)
            await asyncio.sleep(max(wait_s(delay, stream.error) for stream in left if stream.error is not None))
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
        """Gives all up; whether the server is told so, which then ends the call."""
        self._change(self._protocol.cancel)
        return self._protocol.gives_up

    def _end_call(self) -> None:
        if self._call is not None:
            self._call.cancel()

    async def poll(
        self,
        timeout: float = 0.0,  # noqa: ASYNC109 - the twin of Streams.poll
    ) -> list[tuple[AsyncSharedStream, Event | FrameResult | Reconnected | KinesegError]]:
        """What has arrived and was not read, without waiting for more; see `Streams.poll`."""
        if not self._protocol.readable and timeout > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
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
            self._begin_call()
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

    def _begin_call(self) -> None:
        number = self._protocol.begin_call()
        self._start(self._receive(number, *self._call_of(number)), "kineseg-reader")

    def _call_of(self, number: int) -> tuple[Call, CallStatus]:
        """A call, and the task that sends in it."""
        call = self._call = self._connect()
        status = CallStatus(call, self._settings.error)
        self._start(self._transmit(number, call, status), "kineseg-writer")
        return call, status

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _transmit(self, number: int, call: Call, status: CallStatus) -> None:
        """What the writer does, until nothing more will be sent."""
        protocol = self._protocol
        try:
            while True:
                while True:
                    wait_s = self._ask_again(number, call)
                    if protocol.request_ready(number):
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._queued.wait()
                request = protocol.next_request(number)
                if request is None:
                    break
                await call.write(request)
            if not call.done():
                await call.done_writing()
        except Exception as error:
            failure = Internal(f"sending to the streams failed: {error!r}")
            if call.done():  # as it nearly always has; the reader says why, once it has read what came before
                await status.error()
                if not status.lost:
                    return
            if protocol.resumes:
                call.cancel()  # and the reader makes another
                return
            self._end(number, call, failure)

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

    async def _receive(self, number: int, call: Call, status: CallStatus) -> None:
        """What the reader does, for as long as the call lives, and those that go on in its place."""
        failure = await self._read(number, call, status)
        protocol, settings = self._protocol, self._settings
        address = settings.address()
        while True:
            call.cancel()
            moves = protocol.outage is not None or (failure is not None and failure.reason != "")
            outage = protocol.broke(failure, number)
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
            number = protocol.begin_call()
            if moves:
                settings.move_on(address)
            address = settings.address()
            try:
                call, status = self._call_of(number)
            except KinesegError as error:
                failure = error
                continue
            patience_s = outage.patience_s(settings.limits.stall_s, settings.timeout)
            opening = asyncio.get_running_loop().call_later(patience_s, settings.abandon, call)
            failure = await self._read(number, call, status, opening)
            opening.cancel()

    async def _read(
        self, number: int, call: Call, status: CallStatus, opening: asyncio.TimerHandle | None = None
    ) -> KinesegError | None:
        """Takes what comes in a call, to its end; how it ended, unless well. The first message cancels `opening`."""
        failure: KinesegError | None = None
        try:
            with contextlib.suppress(grpc.RpcError):  # its status may be made up
                async for response in call:
                    if opening is not None:
                        opening.cancel()
                    self._protocol.receive(response, number)
                    self._arrived()
                    self._queued()
            failure = await status.error()
        except Internal as error:  # what came is not what the contract says may come
            failure = error
            failure.reason = failure.reason or BROKEN
        except KinesegError as error:  # no stream goes on in this call
            failure = error
        except asyncio.CancelledError:  # the call was cancelled, or the loop is ending; this task does either way
            failure = ClientClosed() if self._settings.is_closed() else Cancelled("the call was cancelled")
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the loop is ending
                self._protocol.finish(failure)
        except Exception as error:  # whatever it is, the callers must not wait for ever
            failure = Internal(f"reading the streams failed: {error!r}", reason=BROKEN)
            failure.__cause__ = error
        return failure

    def _end(self, number: int, call: Call, failure: KinesegError | None) -> None:
        self._protocol.finish(failure, number)
        self._arrived()
        self._queued()
        call.cancel()
