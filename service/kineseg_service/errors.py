"""The errors that serving adds to those of the core.

CoreError
└── ServiceError
    ├── UnknownSession
    ├── UnknownSegment
    ├── SessionExists
    ├── Loading           retry: the models are being loaded
    ├── Draining          retry: another server may answer
    ├── Broken            retry: another server may answer
    ├── NotAuthenticated  who calls is not known
    ├── NotAllowed        who calls may not do that
    ├── LimitReached      retry, at the time that it says: of a tenant or an address
    ├── Idle              the stream has stood still for too long
    ├── WindowExceeded    retry, more slowly: a member of a call has more under way than it may
    ├── StoreUnreachable  retry: the stream to be resumed may lie in the store, which cannot be asked
    ├── ResumeUnknown
    ├── ResumeExpired
    └── ResumedElsewhere  another call has the stream

`kineseg_service.api.codes` gives each its gRPC status code. ServerFailed stands apart: it ends a server and never
reaches a client.
"""

# ruff: noqa: N818 - they are named for what is wrong, as status codes are
from __future__ import annotations

from typing import TypeVar

from kineseg_core.errors import CoreError

Error = TypeVar("Error", bound=CoreError)


def afresh(error: Error) -> Error:
    """The same error, not raised yet: to be kept, and to be raised in place of one that is kept.

    Once raised, an error holds all that it has come through, such as the stream that is to keep it.
    """
    fresh = type(error).__new__(type(error), *error.args)
    fresh.__dict__.update(error.__dict__)
    return fresh


class ServerFailed(RuntimeError):
    """The server could not go on and has ended."""


class ServiceError(CoreError):
    """A refusal of the server, not of the algorithm."""


class UnknownSession(ServiceError):
    """No open session has that name."""

    default_reason = "SESSION_UNKNOWN"


class UnknownSegment(ServiceError):
    """The session has no such finished segment."""

    default_reason = "SEGMENT_UNKNOWN"


class SessionExists(ServiceError):
    """An open session has that name already."""

    default_reason = "SESSION_EXISTS"


class Loading(ServiceError):
    """The server is loading its models."""

    retryable = True
    default_reason = "SERVER_LOADING"


class Draining(ServiceError):
    """The server is shutting down."""

    retryable = True
    default_reason = "SERVER_DRAINING"


class Broken(ServiceError):
    """The server has failed and is ending."""

    retryable = True
    default_reason = "SERVER_FAILED"


class Idle(ServiceError):
    """The stream has stood still for too long."""

    default_reason = "STREAM_IDLE"


class WindowExceeded(ServiceError):
    """More frames have come than may be under way."""

    retryable = True
    default_reason = "WINDOW_EXCEEDED"


class NotAuthenticated(ServiceError):
    """Who calls is not known: there is no token, or not one that counts."""

    default_reason = "TOKEN_MISSING"


class NotAllowed(ServiceError):
    """Who calls may not do that."""

    default_reason = "ROLE_MISSING"


class LimitReached(ServiceError):
    """A limit of a tenant or of an address has been reached.

    Args:
        message: Which, and what helps.
        limit: Which, as it stands in the settings.
        maximum: How much it allows.
        retry_after_s: When the same may succeed.
    """

    retryable = True
    default_reason = "LIMIT_REACHED"

    def __init__(self, message: str, *, limit: str, maximum: float, retry_after_s: float) -> None:
        super().__init__(message, maximum=maximum)
        self.limit = limit
        self.retry_after_s = retry_after_s


class StoreUnreachable(ServiceError):
    """The stream to be resumed may lie in the store, which cannot be asked now."""

    retryable = True
    default_reason = "STORE_UNREACHABLE"


class ResumeUnknown(ServiceError):
    """There is no stream of that id and token that can be resumed."""

    default_reason = "RESUME_UNKNOWN"


class ResumeExpired(ServiceError):
    """The stream, or what its client has not seen of it, is not kept any more."""

    default_reason = "RESUME_EXPIRED"


class ResumedElsewhere(ServiceError):
    """Another call has resumed the stream."""

    default_reason = "RESUMED_ELSEWHERE"
