"""From exceptions to the status of a call: a refusal says what is wrong, a failure only gives an error id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import Message
from kineseg_core.errors import CoreError, StepFailed

from kineseg_service.api.codes import code_of, details_of, trailing_metadata
from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics

_log = get_logger(__name__)
Context = grpc.aio.ServicerContext[Any, Any]
Metadata = tuple[tuple[str, bytes], ...]


class ClientGoneError(Exception):
    """The client of a call has gone."""


async def send(context: Context, message: Message) -> None:
    """Sends a message; waits while the client takes none.

    Raises:
        ClientGoneError: There is no client any more.
    """
    try:
        await context.write(message)
    except Exception as error:  # gRPC raises an unnamed kind of its own when it loses the race with a cancellation
        raise ClientGoneError from error


@contextmanager
def statuses(context: Context, metrics: Metrics) -> Iterator[None]:
    """Gives the call the status of the exception that is raised within; whoever answers it returns after that."""
    try:
        yield
    except (asyncio.CancelledError, grpc.aio.AbortError):
        raise
    except ClientGoneError:
        pass  # its call has ended already; no one is left to get a status
    except CoreError as error:
        end_with(context, metrics, error)
    except grpc.aio.AioRpcError as error:  # another process of the server has answered with that
        _end(context, metrics, error.code(), error.details() or "", details_of(error))
    except Exception:
        failure = StepFailed("the server failed")
        _log.exception("a call failed", error_id=failure.error_id)
        end_with(context, metrics, failure)


@contextmanager
def fields_of(message: str) -> Iterator[None]:
    """What is refused within names fields of this message; the core does not know where in a request they stand."""
    try:
        yield
    except CoreError as error:
        error.field = f"{message}.{error.field}" if error.field else ""
        raise


def end_with(context: Context, metrics: Metrics, error: CoreError) -> None:
    """Gives the call the status of this error; whoever answers it returns after that."""
    _end(context, metrics, code_of(type(error)), error.message, trailing_metadata(error))


def _end(context: Context, metrics: Metrics, code: grpc.StatusCode, details: str, metadata: Metadata) -> None:
    with harmless("metrics"):
        metrics.error(code.name)
    # Not `abort`: the call keeps what that raises, which holds all that it came through, and so the call. Of every
    # refused call that would be left to the garbage collector, which stops all streams when it looks at everything.
    context.set_code(code)
    context.set_details(details)
    context.set_trailing_metadata(metadata)
