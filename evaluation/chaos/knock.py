"""A call with a token, or without one, and how it ends."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from evaluation.chaos.conversations import SERVICE

_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Knock:
    """How it ended.

    Attributes:
        code: Its status.
        text: Everything that it says, answers and all.
    """

    code: grpc.StatusCode
    text: str


def knock(channel: grpc.Channel, method: MethodDescriptor, token: str, request: Message | None = None) -> Knock:
    """Calls with a request, one of nothing unless there is one, and waits for its first answer or its end."""
    path = f"/{SERVICE.full_name}/{method.name}"
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    data = b"" if request is None else request.SerializeToString()
    said: Any = iter([data]) if method.client_streaming else data
    call: Any = (channel.stream_stream if method.client_streaming else channel.unary_stream)(path)
    call = call(said, metadata=metadata, timeout=_PATIENCE_S)
    answers = []
    with contextlib.suppress(grpc.RpcError):
        answers.extend(call)
    return Knock(call.code(), f"{answers} {call.details()} {call.trailing_metadata()}")
