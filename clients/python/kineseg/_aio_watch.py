"""The asynchronous watch: events of many sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from types import TracebackType
from typing import Any, Self

import grpc

from kineseg import _wire as wire
from kineseg._base_stream import CallSettings
from kineseg._errors import ClientClosed, KinesegError, Timeout
from kineseg._events import WatchedEvent
from kineseg._retry import delays
from kineseg.v1 import segmentation_pb2 as pb

Call = grpc.aio.UnaryStreamCall[pb.WatchEventsRequest, pb.WatchEventsResponse]


class AsyncWatch(AsyncIterator[WatchedEvent]):
    """Events of many sessions as they are decided; made by `AsyncClient.watch`.

    Entering it, or awaiting it, subscribes; from then on nothing is missed. Iteration ends when the watch is closed,
    and raises the error if the call ends otherwise. Leaving it closes it.
    """

    def __init__(self, connect: Callable[[], Call], settings: CallSettings) -> None:
        self._connect = connect
        self._settings = settings
        self._call: Call | None = None
        self._closed = False

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
        if self._closed:
            raise StopAsyncIteration
        await self._subscribe()
        assert self._call is not None  # subscribed
        try:
            response = await self._call.read()
        except grpc.RpcError as error:
            if self._closed:
                raise StopAsyncIteration from None
            self._closed = True
            raise self._settings.error(error) from error
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
        return wire.watched_from_wire(response)

    def close(self) -> None:
        """Stop watching; another task that waits for the next event stops too."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    async def _subscribe(self) -> Self:
        if self._call is not None or self._closed:
            return self
        for delay in (*delays(self._settings.retries), None):
            try:
                self._call = await self._subscribed()
                break
            except KinesegError as error:
                if delay is None or not error.retryable:
                    raise
            await asyncio.sleep(delay)
        return self

    async def _subscribed(self) -> Call:
        """A call that the server has answered: it sends its first metadata once it has begun to watch."""
        call = self._connect()
        try:
            async with asyncio.timeout(self._settings.timeout):
                await call.initial_metadata()
            failed = call.done() and await call.code() is not grpc.StatusCode.OK
        except TimeoutError:
            call.cancel()
            raise Timeout(f"the server did not begin to watch in {self._settings.timeout:g} s") from None
        except BaseException:
            call.cancel()
            raise
        if failed:
            nothing = grpc.aio.Metadata()
            code, details, trailing = await call.code(), await call.details(), await call.trailing_metadata()
            raise self._settings.error(grpc.aio.AioRpcError(code, nothing, trailing or nothing, details))
        return call
