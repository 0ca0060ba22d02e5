"""The service's errors: each owns its gRPC status code and knows whether trying again helps.

ServiceError
├── InvalidRequest        INVALID_ARGUMENT     a request that can never succeed
│   └── InvalidFrame                           a chunk of frames that is malformed
├── WrongChannels         FAILED_PRECONDITION  the channels are not the model's
├── UnknownModel          NOT_FOUND
├── UnknownSession        NOT_FOUND
├── UnknownSegment        NOT_FOUND
├── UnknownName           NOT_FOUND
├── CannotTeach           FAILED_PRECONDITION  there is no label bank, or the model cannot learn names
├── SessionExists         ALREADY_EXISTS
├── Full                  RESOURCE_EXHAUSTED   retry: another stream may end
├── Loading               UNAVAILABLE          retry: the models are being loaded
├── Draining              UNAVAILABLE          retry: another server may answer
├── Broken                UNAVAILABLE          retry: another server may answer
├── Idle                  DEADLINE_EXCEEDED    the stream has stood still for too long
└── StepFailed            INTERNAL             tells an error id and nothing of the inside

BadBundle, BadBank, CannotStart and ServerFailed stand apart: they end a server and never reach a client.
"""

# ruff: noqa: N818 - they are named for what is wrong, as status codes are
from __future__ import annotations

import secrets
from typing import ClassVar

import grpc


class CannotStart(RuntimeError):
    """The server cannot start on this machine as it is: a port is taken, or a device is missing."""


class ServerFailed(RuntimeError):
    """The server could not go on and has ended."""


class ServiceError(Exception):
    """A refusal that a client sees.

    Args:
        message: What is wrong and what helps, for the client to read.
        field: The request field that is at fault; empty when there is none.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def trailing_metadata(self) -> tuple[tuple[str, str], ...]:
        """What a client can act on without reading the message."""
        retry = ("kineseg-retryable", "true" if self.retryable else "false")
        return (retry, ("kineseg-field", self.field)) if self.field else (retry,)


class InvalidRequest(ServiceError):
    """The request is malformed."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class InvalidFrame(InvalidRequest):
    """A chunk of frames is malformed."""


class WrongChannels(ServiceError):
    """The channels of the stream are not those of the model."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class UnknownModel(ServiceError):
    """No model has that name."""

    code = grpc.StatusCode.NOT_FOUND


class UnknownSession(ServiceError):
    """No open session has that name."""

    code = grpc.StatusCode.NOT_FOUND


class UnknownSegment(ServiceError):
    """The session has no such finished segment."""

    code = grpc.StatusCode.NOT_FOUND


class UnknownName(ServiceError):
    """No such name has been taught."""

    code = grpc.StatusCode.NOT_FOUND


class CannotTeach(ServiceError):
    """Names cannot be taught here: there is no label bank, or the model's embedding space is each stream's own."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class SessionExists(ServiceError):
    """An open session has that name already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class Full(ServiceError):
    """The server has no room for another stream."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    retryable = True


class Loading(ServiceError):
    """The server is loading its models."""

    code = grpc.StatusCode.UNAVAILABLE
    retryable = True


class Draining(ServiceError):
    """The server is shutting down."""

    code = grpc.StatusCode.UNAVAILABLE
    retryable = True


class Broken(ServiceError):
    """The server has failed and is ending."""

    code = grpc.StatusCode.UNAVAILABLE
    retryable = True


class Idle(ServiceError):
    """The stream has stood still for too long."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class StepFailed(ServiceError):
    """Something failed inside; the log has the details under the same error id."""

    code = grpc.StatusCode.INTERNAL

    def __init__(self, what: str) -> None:
        self.error_id = secrets.token_hex(6)
        super().__init__(f"{what} (error id {self.error_id})")


class BadBundle(Exception):
    """A model bundle was refused.

    Args:
        bundle: Where the bundle lies.
        file: The file in it that is at fault.
        reason: What is wrong with it.
    """

    def __init__(self, bundle: object, file: str, reason: str) -> None:
        super().__init__(f"model bundle {bundle}: {file}: {reason}")
        self.bundle = str(bundle)
        self.file = file
        self.reason = reason


class BadBank(Exception):
    """A label bank was refused.

    Args:
        path: Where it lies.
        reason: What is wrong with it.
    """

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"label bank {path}: {reason}")
        self.path = str(path)
        self.reason = reason
