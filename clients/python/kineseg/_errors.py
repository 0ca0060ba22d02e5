"""Every error that the SDK raises on its own account; `_status` says which status becomes which.

KinesegError
├── RequestError                 the request is at fault: sent again unchanged, it fails again
│   ├── InvalidRequest           a value that cannot be used              INVALID_ARGUMENT, OUT_OF_RANGE
│   ├── FailedPrecondition       the server is not set up for it                     FAILED_PRECONDITION
│   │   └── WrongChannels        the frames are not what the model was made for      FAILED_PRECONDITION
│   ├── NotFound                 no such model, session, segment or name             NOT_FOUND
│   ├── AlreadyExists            the name of the session is taken                    ALREADY_EXISTS
│   ├── AccessDenied             who calls is not allowed to                         PERMISSION_DENIED
│   │   └── NotAuthenticated     who calls is not known: no token, or not one that counts    UNAUTHENTICATED
│   └── Unsupported              the server does not have this call                  UNIMPLEMENTED
├── ServerError                  the server, or the way to it, is at fault
│   ├── ResourceExhausted        too large, or too many                              RESOURCE_EXHAUSTED
│   │   ├── ServerFull           no room for another stream now                      RESOURCE_EXHAUSTED, retryable
│   │   └── LimitReached         a limit of the tenant or the address                RESOURCE_EXHAUSTED, retryable
│   ├── Unavailable              not reachable, starting, shutting down or gone      UNAVAILABLE
│   │   └── CertificateError     the server cannot be trusted, or it does not trust this client
│   ├── Timeout                  not done in time                                    DEADLINE_EXCEEDED
│   ├── Cancelled                ended by somebody else before its end               CANCELLED, ABORTED
│   └── Internal                 a fault of the server; the message has its id       INTERNAL, UNKNOWN, DATA_LOSS
└── UsageError                   the SDK was used in a way that cannot work; nothing was sent
    ├── ClientClosed             the client was closed before
    ├── StreamClosed             the stream takes no more frames, or is not open yet
    ├── StreamBusy               two threads or tasks do the same to one stream
    └── BacklogError             events are not being read
"""

# ruff: noqa: N818 - an error is named after what is wrong, as its status is

from __future__ import annotations

from typing import Any


class KinesegError(Exception):
    """The root of the tree.

    Attributes:
        message: What is wrong and what to do about it.
        code: Name of the gRPC status that it stands for, such as ``"NOT_FOUND"``; empty if it never left this process.
        retryable: Whether the same call may succeed later.
        field: The field of the request that it is about; empty if none.
        reason: What is wrong, for a program: a name of ``ErrorReason`` in errors.proto without its prefix, such as
            ``"FIELD_OUT_OF_RANGE"``; empty if neither a server nor the core has said it.
        minimum, maximum: Between what the field must lie, or the limit that has been reached; None: not bounded.
        error_id: Of a failure, which the server's log has under it; empty otherwise.
        limit: Name of the limit that has been reached, such as ``"tenant.streams"``; empty otherwise.
        retry_after_s: So many seconds from now the same call may succeed; None: not known.
    """

    default_code = ""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retryable: bool = False,
        field: str = "",
        reason: str = "",
        minimum: float | None = None,
        maximum: float | None = None,
        error_id: str = "",
        limit: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = self.default_code if code is None else code
        self.retryable = retryable
        self.field = field
        self.reason = reason
        self.minimum = minimum
        self.maximum = maximum
        self.error_id = error_id
        self.limit = limit
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors cross processes whatever their constructors take."""
        return _rebuilt, (type(self), self.args), self.__dict__


def _rebuilt(kind: type[KinesegError], arguments: tuple[Any, ...]) -> KinesegError:
    error = kind.__new__(kind)
    error.args = arguments
    return error


class RequestError(KinesegError):
    """The request is at fault: sent again unchanged, it fails again."""


class InvalidRequest(RequestError):
    """A value that cannot be used; `field` names it."""

    default_code = "INVALID_ARGUMENT"


class FailedPrecondition(RequestError):
    """The server is not set up for it, such as names to be taught where there is no name bank."""

    default_code = "FAILED_PRECONDITION"


class WrongChannels(FailedPrecondition):
    """The frames are not what the model was made for."""


class NotFound(RequestError):
    """There is no such model, session, segment or name."""

    default_code = "NOT_FOUND"


class AlreadyExists(RequestError):
    """The name of the session is taken."""

    default_code = "ALREADY_EXISTS"


class AccessDenied(RequestError):
    """Who calls is not allowed to."""

    default_code = "PERMISSION_DENIED"


class NotAuthenticated(AccessDenied):
    """Who calls is not known to the server: it wants a token, and there is none, or not one that counts."""

    default_code = "UNAUTHENTICATED"


class Unsupported(RequestError):
    """The server does not have this call."""

    default_code = "UNIMPLEMENTED"


class ServerError(KinesegError):
    """The server, or the way to it, is at fault."""


class ResourceExhausted(ServerError):
    """A message was too large, or there was too much of something."""

    default_code = "RESOURCE_EXHAUSTED"


class ServerFull(ResourceExhausted):
    """There is no room for another stream now."""


class LimitReached(ResourceExhausted):
    """A limit of the caller's tenant, or of its address, has been reached; `limit` says which, `retry_after_s` when to
    come back.
    """


class Unavailable(ServerError):
    """The server cannot be reached, is starting or shutting down, or went away."""

    default_code = "UNAVAILABLE"


class CertificateError(Unavailable):
    """There is no connection as TLS does not come about: the server's certificate is not what it should be."""


class Timeout(ServerError):
    """It was not done in time."""

    default_code = "DEADLINE_EXCEEDED"


class Cancelled(ServerError):
    """The call was ended before its end, and not by this stream's `cancel`."""

    default_code = "CANCELLED"


class Internal(ServerError):
    """A fault of the server; give its operator the id in the message."""

    default_code = "INTERNAL"


class UsageError(KinesegError):
    """The SDK was used in a way that cannot work; nothing was sent."""


class ClientClosed(UsageError):
    """The client was closed, before or under what is open."""

    def __init__(self, message: str = "the client was closed, and with it what was open; make another one") -> None:
        super().__init__(message)


class StreamClosed(UsageError):
    """The stream takes no more frames, or is not open yet."""


class StreamBusy(UsageError):
    """Two threads or tasks do the same thing to one stream at the same time."""


class BacklogError(UsageError):
    """Events are not being read, and the limit of those kept is reached.

    Attributes:
        accepted: Number of frames of the refused `send` that were taken; after reading, send the rest.
    """

    def __init__(self, message: str, *, accepted: int) -> None:
        super().__init__(message)
        self.accepted = accepted
