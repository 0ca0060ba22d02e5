"""How the synchronous client calls: over which connection, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from kineseg._core import HEALTH_CHECK, BaseClient, HealthRequest, HealthResponse
from kineseg._errors import ClientClosed
from kineseg._resuming import is_silence
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1.segmentation_pb2_grpc import SegmentationServiceStub as Stub

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Value = TypeVar("Value")
AnyCall = TypeVar("AnyCall", bound=grpc.Call)


class Caller(BaseClient[grpc.Channel, grpc.Call]):
    """The part of a client that makes its calls."""

    def _connect(self, requests: Iterator[pb.SegmentRequest]) -> grpc._CallIterator[pb.SegmentResponse]:
        channel = self._channel()
        return self._carried(channel, Stub(channel).Segment(requests, metadata=self._metadata))

    def _connect_many(self, requests: Iterator[pb.SegmentManyRequest]) -> grpc._CallIterator[pb.SegmentManyResponse]:
        channel = self._channel()
        return self._carried(channel, Stub(channel).SegmentMany(requests, metadata=self._metadata))

    def _connect_watch(self, request: pb.WatchEventsRequest) -> grpc._CallIterator[pb.WatchEventsResponse]:
        channel = self._channel()
        return self._carried(channel, Stub(channel).WatchEvents(request, metadata=self._metadata))

    def _carried(self, channel: grpc.Channel, call: AnyCall) -> AnyCall:
        """The call, which goes by that channel."""
        self._connections.begins(call, channel)
        if not call.add_callback(lambda: self._connections.ends(call)):  # it has ended
            self._connections.ends(call)
        return call

    def _unary(
        self,
        method: Callable[[grpc.Channel], grpc.UnaryUnaryMultiCallable[Request, Response]],
        request: Request,
        decode: Callable[[Response], Value],
    ) -> Value:
        tries = self._call_settings().tries()
        while True:
            with tries:
                return decode(self._once(method, request))
            time.sleep(tries.wait_s)

    def _once(
        self, method: Callable[[grpc.Channel], grpc.UnaryUnaryMultiCallable[Request, Response]], request: Request
    ) -> Response:
        channel = self._channel()
        try:
            return method(channel)(request, timeout=self._timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            known = self._error(error)
            if is_silence(known):
                self._connections.renew(channel)
            raise known from error
        except ValueError as error:  # gRPC's word for a channel that another thread closed
            raise ClientClosed(f"the client was closed: {error}") from error

    def _new_channel(self, address: str) -> grpc.Channel:
        self._require_open()
        options, safe = self._channel_options(address), self._trusts[address].credentials
        if safe is None:
            return grpc.insecure_channel(address, options)
        return grpc.secure_channel(address, safe, options)


def health_check(channel: grpc.Channel) -> grpc.UnaryUnaryMultiCallable[HealthRequest, HealthResponse]:
    """How its health is asked for."""
    return channel.unary_unary(HEALTH_CHECK, HealthRequest.SerializeToString, HealthResponse.FromString)
