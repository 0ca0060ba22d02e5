"""How the asynchronous client calls: over which connection, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from kineseg._aio_stream import Call
from kineseg._aio_streams import Call as ManyCall
from kineseg._aio_watch import Call as WatchCall
from kineseg._core import HEALTH_CHECK, BaseClient, HealthRequest, HealthResponse
from kineseg._errors import ClientClosed, KinesegError
from kineseg._retry import delays, wait_s
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Value = TypeVar("Value")
AnyCall = TypeVar("AnyCall", bound=grpc.aio.Call)


class AsyncCaller(BaseClient):
    """The part of an asynchronous client that makes its calls."""

    _channels: dict[str, grpc.aio.Channel] | None = None  # by address
    _calls: set[grpc.aio.Call]  # that live, once there is a channel

    def _open_channel(self) -> grpc.aio.Channel:
        self._require_open()
        if self._channels is None:  # a channel belongs to the loop that runs when it is made
            self._channels, self._calls = {}, set()
        address = self._address
        channel = self._channels.get(address)
        if channel is None:
            options = self._channel_options()
            safe = self._trust.credentials
            if safe is None:
                channel = grpc.aio.insecure_channel(address, options)
            else:
                channel = grpc.aio.secure_channel(address, safe, options)
            self._channels[address] = channel
        return channel

    def _stub(self) -> pb_grpc.SegmentationServiceAsyncStub:
        return pb_grpc.SegmentationServiceStub(self._open_channel())

    def _health_check(self) -> grpc.aio.UnaryUnaryMultiCallable[HealthRequest, HealthResponse]:
        return self._open_channel().unary_unary(
            HEALTH_CHECK, HealthRequest.SerializeToString, HealthResponse.FromString
        )

    def _connect(self) -> Call:
        return self._live(self._stub().Segment(metadata=self._metadata))

    def _connect_many(self) -> ManyCall:
        return self._live(self._stub().SegmentMany(metadata=self._metadata))

    def _connect_watch(self, request: pb.WatchEventsRequest) -> WatchCall:
        return self._live(self._stub().WatchEvents(request, metadata=self._metadata))

    def _live(self, call: AnyCall) -> AnyCall:
        """The call, kept for as long as it lives."""
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    async def _unary(
        self,
        method: Callable[[], grpc.aio.UnaryUnaryMultiCallable[Request, Response]],
        request: Request,
        decode: Callable[[Response], Value],
    ) -> Value:
        for delay in delays(self._retries):
            address = self._address
            try:
                return decode(await self._once(method(), request))
            except KinesegError as error:
                if not error.retryable:
                    raise
                delay = wait_s(delay, error)
            self._move_on(address)
            await asyncio.sleep(delay)
        return decode(await self._once(method(), request))

    async def _once(self, method: grpc.aio.UnaryUnaryMultiCallable[Request, Response], request: Request) -> Response:
        try:
            return await self._live(method(request, timeout=self._timeout, metadata=self._metadata))
        except grpc.RpcError as error:
            raise self._error(error) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self.is_closed and not (task and task.cancelling()):
                raise ClientClosed("the client was closed before the answer came") from None
            raise
