"""How the synchronous client calls: over which connection, and how often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from kineseg._core import HEALTH_CHECK, BaseClient, HealthRequest, HealthResponse
from kineseg._errors import ClientClosed, KinesegError
from kineseg._retry import delays, wait_s
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Value = TypeVar("Value")


class Caller(BaseClient):
    """The part of a client that makes its calls."""

    _channels: dict[str, grpc.Channel]  # by address
    _lock: threading.Lock

    def _connect(self, requests: Iterator[pb.SegmentRequest]) -> grpc._CallIterator[pb.SegmentResponse]:
        self._require_open()
        return self._stub.Segment(requests, metadata=self._metadata)

    def _connect_many(self, requests: Iterator[pb.SegmentManyRequest]) -> grpc._CallIterator[pb.SegmentManyResponse]:
        self._require_open()
        return self._stub.SegmentMany(requests, metadata=self._metadata)

    def _connect_watch(self, request: pb.WatchEventsRequest) -> grpc._CallIterator[pb.WatchEventsResponse]:
        self._require_open()
        return self._stub.WatchEvents(request, metadata=self._metadata)

    def _unary(
        self,
        method: Callable[[], grpc.UnaryUnaryMultiCallable[Request, Response]],
        request: Request,
        decode: Callable[[Response], Value],
    ) -> Value:
        self._require_open()
        for delay in delays(self._retries):
            address = self._address
            try:
                return decode(self._once(method(), request))
            except KinesegError as error:
                if not error.retryable:
                    raise
                delay = wait_s(delay, error)
            self._move_on(address)
            time.sleep(delay)
        return decode(self._once(method(), request))

    def _channel(self) -> grpc.Channel:
        """The connection to the server that is asked now."""
        with self._lock:
            self._require_open()
            address = self._address
            channel = self._channels.get(address)
            if channel is None:
                options = self._channel_options()
                safe = self._trust.credentials
                if safe is None:
                    channel = grpc.insecure_channel(address, options)
                else:
                    channel = grpc.secure_channel(address, safe, options)
                self._channels[address] = channel
            return channel

    @property
    def _stub(self) -> pb_grpc.SegmentationServiceStub:
        return pb_grpc.SegmentationServiceStub(self._channel())

    @property
    def _health(self) -> grpc.UnaryUnaryMultiCallable[HealthRequest, HealthResponse]:
        return self._channel().unary_unary(HEALTH_CHECK, HealthRequest.SerializeToString, HealthResponse.FromString)

    def _once(self, method: grpc.UnaryUnaryMultiCallable[Request, Response], request: Request) -> Response:
        try:
            return method(request, timeout=self._timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._error(error) from error
        except ValueError as error:  # gRPC's word for a channel that another thread closed
            raise ClientClosed(f"the client was closed: {error}") from error
