"""The asynchronous watch: events of many sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Self

import grpc

from kineseg._base_stream import CallSettings
from kineseg._errors import ClientClosed, KinesegError, Timeout
from kineseg._events import WatchedEvent
from kineseg._resuming import may_go_on, may_pass
from kineseg._retry import Tries, delays, delays_for
from kineseg._watch_position import WatchPosition
from kineseg.v1 import segmentation_pb2 as pb

Call = grpc.aio.UnaryStreamCall[pb.WatchEventsRequest, pb.WatchEventsResponse]
Connect = Callable[[pb.WatchEventsRequest], Call]


class AsyncWatch(AsyncIterator[WatchedEvent]):
    """Events of many sessions as they are decided; made by `AsyncClient.watch`.

    Entering it, or awaiting it, subscribes; from then on nothing is missed. Iteration ends when the watch is closed,
    and raises the error if the call ends otherwise. Leaving it closes it.
    """

    def __init__(
        self, connect: Connect, request: pb.WatchEventsRequest, settings: CallSettings, *, resume: bool
    ) -> None:
        self._connect = connect
        self._settings = settings
        self._resume = resume
        self._position = WatchPosition(request)
        self._call: Call | None = None
        self._closed = False

    @property
    def cursor(self) -> str:
        """Where it goes on, for another watch; empty if it has not begun, or the server keeps no events."""
        return self._position.cursor

    def __await__(self) -> Generator[Any, None, Self]:
        """Subscribes.

        Raises:
            KinesegError: The server refused, or did not answer within the client's timeout and retries.
        """
        return self._subscribe().__await__()

    async def __aenter__(self) -> Self:
        return await self._subscribe()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __anext__(self) -> WatchedEvent:
        while True:
            watched = self._position.receive(await self._read())
            if watched is not None:
                return watched

    async def _read(self) -> pb.WatchEventsResponse:
        if self._closed:
            raise StopAsyncIteration
        await self._subscribe()
        assert self._call is not None  # subscribed
        try:
            while True:
                try:
                    response = await self._call.read()
                    break
                except grpc.RpcError as error:
                    await self._go_on(error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            if self._closed:
                raise StopAsyncIteration from None
            self._closed = True
            raise ClientClosed() from None
        if not isinstance(response, pb.WatchEventsResponse):
            self._closed = True
            raise StopAsyncIteration
        return response

    def close(self) -> None:
        """Stop watching; another task that waits for the next event stops too."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    async def _go_on(self, ended: grpc.RpcError) -> None:
        """The call has ended: connects again if that is worth while, and raises what ended it otherwise."""
        if self._closed:
            raise StopAsyncIteration from None
        error = self._settings.error(ended)
        try:
            if not (self._resume and self.cursor and may_go_on(error)):
                raise error from ended
            await self._try(delays_for(self._settings.limits.reconnect_s), may_go_on)
        except KinesegError:
            was_closed, self._closed = self._closed, True
            if was_closed:
                raise StopAsyncIteration from None
            raise

    async def _subscribe(self) -> Self:
        if self._call is None and not self._closed:
            await self._try(delays(self._settings.retries), may_pass)
        return self

    async def _try(self, waits: Iterator[float], worth_another: Callable[[KinesegError], bool]) -> None:
        tries = Tries(waits, self._settings, lambda error: not self._closed and worth_another(error))
        while True:
            with tries:
                call = self._call = await self._subscribed()
                break
            await asyncio.sleep(tries.wait_s)
        if self._closed:
            call.cancel()

    async def _subscribed(self) -> Call:
        """A call that the server has answered: it sends its first metadata once it has begun to watch."""
        call = self._connect(self._position.request())
        try:
            async with asyncio.timeout(self._settings.timeout):
                metadata = await call.initial_metadata()
            failed = call.done() and await call.code() is not grpc.StatusCode.OK
        except TimeoutError:
            self._settings.abandon(call)
            raise Timeout(f"the server did not begin to watch in {self._settings.timeout:g} s") from None
        except BaseException:
            call.cancel()
            raise
        if failed:
            nothing = grpc.aio.Metadata()
            code, details, trailing = await call.code(), await call.details(), await call.trailing_metadata()
            raise self._settings.error(grpc.aio.AioRpcError(code, nothing, trailing or nothing, details))
        self._position.begin(metadata)
        return call
