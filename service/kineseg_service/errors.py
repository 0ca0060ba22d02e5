"""The errors that serving adds to those of the core.

CoreError
└── ServiceError
    ├── UnknownSession
    ├── UnknownSegment
    ├── SessionExists
    ├── Loading           retry: the models are being loaded
    ├── Draining          retry: another server may answer
    ├── Broken            retry: another server may answer
    ├── Idle              the stream has stood still for too long
    └── WindowExceeded    retry, more slowly: a member of a call has more under way than it may

`kineseg_service.api.codes` gives each its gRPC status code. ServerFailed stands apart: it ends a server and never
reaches a client.
"""

# ruff: noqa: N818 - they are named for what is wrong, as status codes are
from __future__ import annotations

from kineseg_core.errors import CoreError


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
