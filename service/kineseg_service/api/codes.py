"""Which gRPC status code each error has, and what a client gets besides its message."""

from __future__ import annotations

from grpc import StatusCode
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

from kineseg_service.errors import Broken, Draining, Idle, Loading, SessionExists, UnknownSegment, UnknownSession

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
    StepFailed: StatusCode.INTERNAL,
}
CODE_NAMES = tuple(sorted({code.name for code in _CODES.values()}))
"""Names of all codes with which a call can end in an error."""


def code_of(kind: type[CoreError]) -> StatusCode:
    """The status code of this class of errors."""
    return next(_CODES[base] for base in kind.__mro__ if base in _CODES)


def trailing_metadata(error: CoreError) -> tuple[tuple[str, str], ...]:
    """What a client can act on without reading the message."""
    retry = ("kineseg-retryable", "true" if error.retryable else "false")
    return (retry, ("kineseg-field", error.field)) if error.field else (retry,)
