"""What the synchronous and the asynchronous client share: configuration, channel options, and words for failures."""

from __future__ import annotations

import enum
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from reprlib import repr as short
from typing import Any, Generic, cast

import grpc
from google.protobuf import wrappers_pb2

from kineseg._address import checked_addresses
from kineseg._arguments import seconds, whole
from kineseg._base_stream import CallSettings
from kineseg._config import Limits, StreamChoices, StreamConfig
from kineseg._connections import Call, Channel, Connections
from kineseg._errors import (
    ClientClosed,
    InvalidRequest,
    KinesegError,
    Timeout,
    Unavailable,
    UsageError,
)
from kineseg._handshake import handshake_error
from kineseg._status import error_from_status
from kineseg._trust import TLS, Trust, trust
from kineseg._wire import checked_request, kind_to_wire
from kineseg.v1 import segmentation_pb2 as pb

_LEAST_TIMEOUT_S = 0.01
_LEAST_KEEPALIVE_S = 1.0
_LONGEST_ANSWER_S = 20.0  # to the question whether a connection is alive
_METADATA_KEY = re.compile(r"[a-z0-9_.-]+")
_OWN_DEADLINE = "Deadline Exceeded"  # gRPC's word when it was not the server that gave up
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
# On the wire a health request is one string and its answer one integer, both field 1, just as these wrappers are;
# so the SDK needs no package for the health service.
HealthRequest = wrappers_pb2.StringValue
HealthResponse = wrappers_pb2.Int32Value


class ClientState(enum.Enum):
    """Where a client stands."""

    NEW = "new"
    ENTERED = "entered"
    CLOSED = "closed"


class BaseClient(ABC, Generic[Channel, Call]):
    """Configuration of a client; see `Client` for the arguments."""

    def __init__(
        self,
        address: str | Sequence[str] = "localhost:50051",
        *,
        timeout: float = 10.0,
        retries: int = 3,
        limits: Limits | None = None,
        tls: TLS | bool | str | os.PathLike[str] | None = None,
        token: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Mapping[str, str] | None = None,
        keepalive_s: float = 20.0,
    ) -> None:
        self._addresses = checked_addresses(address)
        self._at = 0  # which of them is asked
        self._timeout = seconds("timeout", timeout, _LEAST_TIMEOUT_S)
        self._retries = whole("retries", retries, 0)
        self._limits = _limits(limits)
        self._trusts = {address: trust(address, tls, token, credentials) for address in self._addresses}
        self._own_metadata = _metadata(metadata)
        self._keepalive_s = seconds("keepalive_s", keepalive_s, _LEAST_KEEPALIVE_S)
        self._state = ClientState.NEW
        self._connections: Connections[Channel, Call] = Connections(self._new_channel)

    @property
    def address(self) -> str:
        """Where the server is expected; of several addresses, the one that is asked now."""
        return self._address

    @property
    def _address(self) -> str:
        return self._addresses[self._at]

    @property
    def _trust(self) -> Trust:
        return self._trusts[self._address]

    @property
    def _metadata(self) -> tuple[tuple[str, str], ...]:
        token = self._trust.token
        shown = {"authorization": f"Bearer {token}"} if token else {}
        return tuple((shown | self._own_metadata).items())

    def _move_on(self, address: str) -> None:
        """The server there does not answer, or is going: the next one is asked, unless that is so already."""
        if address == self._address:
            self._at = (self._at + 1) % len(self._addresses)

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed."""
        return self._state is ClientState.CLOSED

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._address} ({self._state.value})>"

    def _enter(self) -> None:
        self._require_open()
        if self._state is ClientState.ENTERED:
            raise UsageError("the client is entered already: use one `with` and share what it gives")
        self._state = ClientState.ENTERED

    def _require_open(self) -> None:
        if self._state is ClientState.CLOSED:
            raise ClientClosed("the client is closed; make another one")

    @abstractmethod
    def _new_channel(self, address: str) -> Channel:
        """A channel to that address; raises `ClientClosed` if the client is."""

    def _channel(self) -> Channel:
        """What leads to the server that is asked now."""
        return self._connections.to(self._address)

    def _channel_options(self, address: str) -> list[tuple[str, Any]]:
        answer_s = min(self._keepalive_s, _LONGEST_ANSWER_S)
        return [
            ("grpc.max_receive_message_length", self._limits.message_bytes),
            # Clients of one process would share a connection, and with it the one server that it leads to.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.keepalive_time_ms", int(self._keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", int(answer_s * 1000)),
            ("grpc.http2.ping_timeout_ms", int(answer_s * 1000)),  # 60 s otherwise, whatever the one above says
            ("grpc.http2.max_pings_without_data", 0),  # who watches sends nothing
            # A server that is just starting is found again soon.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 5_000),
            *self._trusts[address].options,
        ]

    def _error(self, error: grpc.RpcError) -> KinesegError:
        """The SDK's error for gRPC's."""
        trailing = cast("Iterable[Sequence[str | bytes]] | None", error.trailing_metadata())  # pairs, typed as objects
        if self.is_closed and error.code() is grpc.StatusCode.CANCELLED:
            return ClientClosed()
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and error.details() == _OWN_DEADLINE:
            return Timeout(f"{self._address}: the server did not answer within {self._timeout:g} s")
        known = error_from_status(error.code(), error.details(), trailing)
        if not known.reason and isinstance(known, Unavailable):
            known = handshake_error(known, self._address, is_safe=self._trust.credentials is not None) or known
        if isinstance(known, Unavailable) and known.retryable:
            known.args = (known.message,) = (f"{self._address}: {known.message}",)
        return known

    def _call_settings(self) -> CallSettings:
        return CallSettings(
            timeout=self._timeout,
            retries=self._retries,
            limits=self._limits,
            error=self._error,
            is_closed=lambda: self.is_closed,
            addresses=len(self._addresses),
            address=lambda: self._address,
            move_on=self._move_on,
            renew=self._connections.renew_for,
        )

    @staticmethod
    def _config(config: StreamConfig | None, choices: StreamChoices) -> StreamConfig:
        if config is None:
            if "rate" not in choices:
                raise InvalidRequest("a stream needs its rate: stream(rate=...) in frames per second", field="rate")
            return StreamConfig(**choices)
        if not isinstance(config, StreamConfig):
            raise InvalidRequest(f"config must be a StreamConfig, got {type(config).__name__}", field="config")
        return replace(config, **choices)

    @staticmethod
    def _watch_request(session_id: str, kinds: Iterable[str], cursor: str) -> pb.WatchEventsRequest:
        if isinstance(kinds, str):
            kinds = (kinds,)
        try:
            wanted = [kind_to_wire(kind) for kind in kinds]
        except TypeError:
            raise InvalidRequest(f"kinds must be names of kinds of events, got {short(kinds)}", field="kinds") from None
        return checked_request(pb.WatchEventsRequest, session_id=session_id, kinds=wanted, cursor=cursor)


def _limits(given: object) -> Limits:
    if not isinstance(given, Limits | None):
        raise InvalidRequest(f"limits must be kineseg.Limits, got {type(given).__name__}", field="limits")
    return given or Limits()


def _metadata(given: object) -> dict[str, str]:
    """What goes with every call.

    Raises:
        InvalidRequest: gRPC cannot send it.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidRequest(
            f'metadata must be a mapping, such as {{"x-request-id": "..."}}, got {type(given).__name__}',
            field="metadata",
        )
    for key, value in given.items():
        if not (isinstance(key, str) and _METADATA_KEY.fullmatch(key)) or key.startswith("grpc-"):
            raise InvalidRequest(
                f"metadata: a name is lower-case letters, digits, '-', '_' or '.', and begins with none of gRPC's "
                f"own, grpc-; got {short(key)}",
                field="metadata",
            )
        is_bytes = key.endswith("-bin") and isinstance(value, bytes)
        if not is_bytes and not (isinstance(value, str) and value.isascii() and value.isprintable()):
            raise InvalidRequest(f"metadata: the value of {key!r} must be printable ASCII text", field="metadata")
    return dict(given)
