"""How a gRPC status becomes one of the SDK's errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import grpc

from kineseg._errors import (
    AccessDenied,
    AlreadyExists,
    Cancelled,
    FailedPrecondition,
    Internal,
    InvalidRequest,
    KinesegError,
    NotFound,
    ResourceExhausted,
    ServerFull,
    Timeout,
    Unavailable,
    Unsupported,
    WrongChannels,
)

_BY_CODE: dict[grpc.StatusCode, type[KinesegError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.UNAUTHENTICATED: AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
    grpc.StatusCode.UNIMPLEMENTED: Unsupported,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Timeout,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.ABORTED: Cancelled,
}


def error_from_status(
    code: grpc.StatusCode, details: str | None, trailing: Iterable[Sequence[str | bytes]] | None
) -> KinesegError:
    """The error for the status that a call ended with.

    Args:
        code: The status.
        details: Its message.
        trailing: Trailing metadata; ``kineseg-retryable`` and ``kineseg-field`` are the server's own word.
    """
    said = {key: value for key, value in trailing or () if isinstance(value, str)}
    # Without the server's word only a server that was never reached, or went away, is worth another try.
    retryable = said.get("kineseg-retryable", str(code is grpc.StatusCode.UNAVAILABLE)).lower() == "true"
    kind = _BY_CODE.get(code, Internal)
    if kind is ResourceExhausted and retryable:
        kind = ServerFull
    field = said.get("kineseg-field", "")
    if kind is FailedPrecondition and field.startswith(("config.channels", "config.joints")):
        kind = WrongChannels
    message = details or f"the call ended with {code.name} and no message"
    return kind(message, code=code.name, retryable=retryable, field=field)
