"""The events of all processes of a server, as one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

from kineseg_service.api.cursor import METADATA, cursor_of, positions_of
from kineseg_service.api.siblings import Siblings, connected, on_behalf

# Few: what a slow watcher does not take is to wait in the logs of the processes.
_QUEUE = 16
# A process that has gone is looked for again after so long.
_AGAIN_S = 0.05
# With these a process refuses; with any other, it is gone.
_REFUSALS = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}


class WatchAll:
    """Watches every process, and goes on watching one that is started anew; ends when this one drains.

    Raises:
        InvalidRequest: The request's cursor is none.
    """

    def __init__(self, siblings: Siblings, request: pb.WatchEventsRequest) -> None:
        self._siblings = siblings
        self._request = request
        # What is still to be read of each log, as far as it has been passed on, and which log is whose.
        self._positions = positions_of(request.cursor)
        self._names: dict[int, str] = {}
        self._tried = [asyncio.Event() for _ in siblings.sockets]
        self._watched = [asyncio.Event() for _ in siblings.sockets]
        self._arrived: asyncio.Queue[tuple[int, pb.WatchEventsResponse | grpc.aio.AioRpcError | None]] = asyncio.Queue(
            _QUEUE
        )

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """All that are there are being watched: nothing is missed from now on."""
        tasks = [asyncio.create_task(self._follow(index)) for index in range(len(self._tried))]
        self._siblings.watches.add(self)
        try:
            for tried in self._tried:
                await tried.wait()
            # Logs of processes that are gone have nothing more to give.
            known = set(self._names.values())
            self._positions = {name: at for name, at in self._positions.items() if name in known}
            yield
        finally:
            self._siblings.watches.discard(self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for watched in self._watched:
                watched.set()  # so that no one waits for what is over

    async def __aiter__(self) -> AsyncIterator[pb.WatchEventsResponse]:
        """Raises grpc.aio.AioRpcError when a process refuses."""
        while True:
            index, message = await self._arrived.get()
            if message is None:
                return
            if isinstance(message, grpc.aio.AioRpcError):
                raise message
            self._stands(index, message.cursor)
            message.cursor = self.cursor
            yield message

    async def reaches(self, index: int) -> None:
        """Returns when this process is watched, or the watch is over."""
        await self._watched[index].wait()

    @property
    def cursor(self) -> str:
        """Where the watch stands, in all processes."""
        return cursor_of(self._positions)

    async def _follow(self, index: int) -> None:
        while True:
            request = pb.WatchEventsRequest()
            request.CopyFrom(self._request)
            if self._names:  # a process that comes later is watched from its beginning
                request.cursor = self.cursor
            error: grpc.aio.AioRpcError | None = None
            async with connected(self._siblings.sockets[index]) as channel:
                call = pb_grpc.SegmentationServiceStub(channel).WatchEvents(request, metadata=on_behalf())
                try:
                    self._stands(index, str(dict(await call.initial_metadata()).get(METADATA, "")))
                    if not call.done():
                        self._watched[index].set()
                    self._tried[index].set()
                    async for message in call:
                        await self._arrived.put((index, message))
                except grpc.aio.AioRpcError as failure:
                    error = failure
                finally:
                    self._watched[index].clear()
                    self._tried[index].set()
            if index == self._siblings.own or (error is not None and error.code() in _REFUSALS):
                await self._arrived.put((index, error))
                return
            await asyncio.sleep(_AGAIN_S)

    def _stands(self, index: int, cursor: str) -> None:
        """Where a process stands; its log may be another one than before."""
        for name, position in positions_of(cursor).items():
            before = self._names.get(index)
            if before != name and before is not None:
                self._positions.pop(before, None)
            self._names[index] = name
            self._positions[name] = position
