"""The events of all processes of a server, as one stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

from kineseg_service.api.siblings import Siblings, connected, on_behalf

# Few: what a slow watcher does not take is to wait in the processes, where what is dropped is counted.
_QUEUE = 16
# A process that has gone is looked for again after so long.
_AGAIN_S = 0.05
# With these a process refuses; with any other, it is gone.
_REFUSALS = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED}


class WatchAll:
    """Watches every process, and goes on watching one that is started anew; ends when this one drains."""

    def __init__(self, siblings: Siblings, request: pb.WatchEventsRequest) -> None:
        self._siblings = siblings
        self._request = request
        self._tried = [asyncio.Event() for _ in siblings.sockets]
        self._watched = [asyncio.Event() for _ in siblings.sockets]
        self._arrived: asyncio.Queue[pb.WatchEventsResponse | grpc.aio.AioRpcError | None] = asyncio.Queue(_QUEUE)

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """All that are there are being watched: nothing is missed from now on."""
        tasks = [asyncio.create_task(self._follow(index)) for index in range(len(self._tried))]
        self._siblings.watches.add(self)
        try:
            for tried in self._tried:
                await tried.wait()
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
        while (message := await self._arrived.get()) is not None:
            if isinstance(message, grpc.aio.AioRpcError):
                raise message
            yield message

    async def reaches(self, index: int) -> None:
        """Returns when this process is watched, or the watch is over."""
        await self._watched[index].wait()

    async def _follow(self, index: int) -> None:
        while True:
            error: grpc.aio.AioRpcError | None = None
            async with connected(self._siblings.sockets[index]) as channel:
                call = pb_grpc.SegmentationServiceStub(channel).WatchEvents(self._request, metadata=on_behalf())
                try:
                    await call.initial_metadata()
                    if not call.done():
                        self._watched[index].set()
                    self._tried[index].set()
                    async for message in call:
                        await self._arrived.put(message)
                except grpc.aio.AioRpcError as failure:
                    error = failure
                finally:
                    self._watched[index].clear()
                    self._tried[index].set()
            if index == self._siblings.own or (error is not None and error.code() in _REFUSALS):
                await self._arrived.put(error)
                return
            await asyncio.sleep(_AGAIN_S)
