"""How a gRPC status becomes one of the SDK's errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from kineseg._errors import (
    AccessDenied,
    AlreadyExists,
    Cancelled,
    FailedPrecondition,
    Internal,
    InvalidRequest,
    KinesegError,
    NotAuthenticated,
    NotFound,
    ResourceExhausted,
    Timeout,
    Unavailable,
    Unsupported,
)
from kineseg._reasons import ERROR_OF_REASON
from kineseg.v1 import segmentation_pb2 as pb

_DETAILS = "grpc-status-details-bin"
_DOMAIN = "kineseg"

_BY_CODE: dict[grpc.StatusCode, type[KinesegError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.UNAUTHENTICATED: NotAuthenticated,
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
        trailing: Trailing metadata, with a ``google.rpc.ErrorInfo`` if it is a kineseg server that speaks.
    """
    message = details or f"the call ended with {code.name} and no message"
    info = _error_info(trailing or ())
    if info is None:
        # Of what does not say so itself, only a server that was not reached or went away is worth another try.
        by_code = _BY_CODE.get(code, Internal)
        return by_code(message, code=code.name, retryable=code is grpc.StatusCode.UNAVAILABLE)
    return _error(code, message, info.reason, info.metadata)


def error_from_failure(failure: pb.SessionFailure) -> KinesegError:
    """The error for a session that failed within a call of many."""
    code = next((each for each in grpc.StatusCode if each.value[0] == failure.code), grpc.StatusCode.UNKNOWN)
    return _error(code, failure.message, failure.reason, failure.metadata)


def _error(code: grpc.StatusCode, message: str, reason: str, said: Mapping[str, str]) -> KinesegError:
    return ERROR_OF_REASON.get(reason, _BY_CODE.get(code, Internal))(
        message,
        code=code.name,
        retryable=said.get("retryable", "").lower() == "true",
        field=said.get("field", ""),
        reason=reason,
        minimum=_number(said.get("minimum")),
        maximum=_number(said.get("maximum")),
        error_id=said.get("error_id", ""),
        limit=said.get("limit", ""),
        retry_after_s=_number(said.get("retry_after_s")),
    )


def _error_info(trailing: Iterable[Sequence[str | bytes]]) -> ErrorInfo | None:
    """What a kineseg server says of an error; None where something else answered, such as a proxy."""
    for key, value in trailing:
        if key != _DETAILS or not isinstance(value, bytes):
            continue
        info = ErrorInfo()
        try:
            for detail in Status.FromString(value).details:
                if detail.Unpack(info) and info.domain == _DOMAIN:
                    return info
        except DecodeError:
            continue
    return None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
