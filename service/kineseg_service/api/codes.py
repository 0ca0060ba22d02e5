"""Which gRPC status code each error has, and what a client's program gets besides its message."""

from __future__ import annotations

from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from grpc.aio import AioRpcError
from kineseg_core.errors import (
    CannotTeach,
    CoreError,
    Full,
    InvalidRequest,
    StepFailed,
    UnknownModel,
    UnknownName,
    WrongChannels,
)

from kineseg_service.errors import (
    Broken,
    Draining,
    Idle,
    LimitReached,
    Loading,
    NotAllowed,
    NotAuthenticated,
    ResumedElsewhere,
    ResumeExpired,
    ResumeUnknown,
    SessionExists,
    StoreUnreachable,
    UnknownSegment,
    UnknownSession,
    WindowExceeded,
)

DOMAIN = "kineseg"
_DETAILS = "grpc-status-details-bin"
# A class that is not here has the code of the nearest class it derives from.
_CODES: dict[type[CoreError], StatusCode] = {
    CoreError: StatusCode.UNKNOWN,
    InvalidRequest: StatusCode.INVALID_ARGUMENT,
    WrongChannels: StatusCode.FAILED_PRECONDITION,
    UnknownModel: StatusCode.NOT_FOUND,
    UnknownSession: StatusCode.NOT_FOUND,
    UnknownSegment: StatusCode.NOT_FOUND,
    UnknownName: StatusCode.NOT_FOUND,
    CannotTeach: StatusCode.FAILED_PRECONDITION,
    SessionExists: StatusCode.ALREADY_EXISTS,
    Full: StatusCode.RESOURCE_EXHAUSTED,
    Loading: StatusCode.UNAVAILABLE,
    Draining: StatusCode.UNAVAILABLE,
    Broken: StatusCode.UNAVAILABLE,
    Idle: StatusCode.DEADLINE_EXCEEDED,
    WindowExceeded: StatusCode.RESOURCE_EXHAUSTED,
    NotAuthenticated: StatusCode.UNAUTHENTICATED,
    NotAllowed: StatusCode.PERMISSION_DENIED,
    LimitReached: StatusCode.RESOURCE_EXHAUSTED,
    StoreUnreachable: StatusCode.UNAVAILABLE,
    ResumeUnknown: StatusCode.NOT_FOUND,
    ResumeExpired: StatusCode.NOT_FOUND,
    ResumedElsewhere: StatusCode.ABORTED,
    StepFailed: StatusCode.INTERNAL,
}
CODE_NAMES = tuple(sorted({code.name for code in _CODES.values()}))
"""Names of all codes with which a call can end in an error."""


def code_of(kind: type[CoreError]) -> StatusCode:
    """The status code of this class of errors."""
    return next(_CODES[base] for base in kind.__mro__ if base in _CODES)


def error_info(error: CoreError) -> ErrorInfo:
    """What is wrong, for a program to act on; errors.proto describes it."""
    info = ErrorInfo(reason=error.reason, domain=DOMAIN)
    info.metadata["retryable"] = "true" if error.retryable else "false"
    known = {"field": error.field, "error_id": error.error_id, "limit": error.limit}
    info.metadata.update({key: value for key, value in known.items() if value})
    numbers = {"minimum": error.minimum, "maximum": error.maximum, "retry_after_s": error.retry_after_s}
    info.metadata.update({key: f"{value:.15g}" for key, value in numbers.items() if value is not None})
    return info


def details_of(error: AioRpcError) -> tuple[tuple[str, bytes], ...]:
    """The details of the status of a call that another process has answered."""
    metadata = error.trailing_metadata() or ()
    return tuple((key, value) for key, value in metadata if key == _DETAILS and isinstance(value, bytes))


def reason_of(error: AioRpcError) -> str:
    """Why another process has refused a call, as in errors.proto; empty: it does not say."""
    for _, value in details_of(error):
        for detail in Status.FromString(value).details:
            info = ErrorInfo()
            if detail.Unpack(info):
                return str(info.reason)
    return ""


def trailing_metadata(error: CoreError) -> tuple[tuple[str, bytes], ...]:
    """The details of a call's status, as every gRPC library that knows `google.rpc.Status` reads them."""
    status = Status(code=code_of(type(error)).value[0], message=error.message)
    status.details.add().Pack(error_info(error))
    if error.retry_after_s is not None:
        retry = RetryInfo()
        retry.retry_delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        status.details.add().Pack(retry)
    return ((_DETAILS, status.SerializeToString()),)
