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
from kineseg._errors import ClientClosed
from kineseg._resuming import is_silence
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1.segmentation_pb2_grpc import SegmentationServiceStub as Stub

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Value = TypeVar("Value")
AnyCall = TypeVar("AnyCall", bound=grpc.aio.Call)


class AsyncCaller(BaseClient[grpc.aio.Channel, grpc.aio.Call]):
    """The part of an asynchronous client that makes its calls."""

    def _connect(self) -> Call:
        channel = self._channel()
        return self._carried(channel, Stub(channel).Segment(metadata=self._metadata))

    def _connect_many(self) -> ManyCall:
        channel = self._channel()
        return self._carried(channel, Stub(channel).SegmentMany(metadata=self._metadata))

    def _connect_watch(self, request: pb.WatchEventsRequest) -> WatchCall:
        channel = self._channel()
        return self._carried(channel, Stub(channel).WatchEvents(request, metadata=self._metadata))

    def _carried(self, channel: grpc.aio.Channel, call: AnyCall) -> AnyCall:
        """The call, which goes by that channel."""
        self._connections.begins(call, channel)
        call.add_done_callback(self._connections.ends)
        return call

    async def _unary(
        self,
        method: Callable[[grpc.aio.Channel], grpc.aio.UnaryUnaryMultiCallable[Request, Response]],
        request: Request,
        decode: Callable[[Response], Value],
    ) -> Value:
        tries = self._call_settings().tries()
        while True:
            with tries:
                return decode(await self._once(method, request))
            await asyncio.sleep(tries.wait_s)

    async def _once(
        self,
        method: Callable[[grpc.aio.Channel], grpc.aio.UnaryUnaryMultiCallable[Request, Response]],
        request: Request,
    ) -> Response:
        channel = self._channel()
        call = method(channel)(request, timeout=self._timeout, metadata=self._metadata)
        try:
            return await self._carried(channel, call)
        except grpc.RpcError as error:
            known = self._error(error)
            if is_silence(known):
                self._connections.renew(channel)
            raise known from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self.is_closed and not (task and task.cancelling()):
                raise ClientClosed("the client was closed before the answer came") from None
            raise

    def _new_channel(self, address: str) -> grpc.aio.Channel:
        self._require_open()
        options, safe = self._channel_options(address), self._trusts[address].credentials
        if safe is None:
            return grpc.aio.insecure_channel(address, options)
        return grpc.aio.secure_channel(address, safe, options)


def health_check(channel: grpc.aio.Channel) -> grpc.aio.UnaryUnaryMultiCallable[HealthRequest, HealthResponse]:
    """How its health is asked for."""
    return channel.unary_unary(HEALTH_CHECK, HealthRequest.SerializeToString, HealthResponse.FromString)
