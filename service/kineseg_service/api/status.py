"""From exceptions to the status of a call: a refusal says what is wrong, a failure only gives an error id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc
from google.protobuf.message import Message
from kineseg_core.errors import CoreError, StepFailed

from kineseg_service.api.codes import code_of, trailing_metadata
from kineseg_service.logs import get_logger, harmless
from kineseg_service.metrics import Metrics

_log = get_logger(__name__)
Context = grpc.aio.ServicerContext[Any, Any]


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


@asynccontextmanager
async def statuses(context: Context, metrics: Metrics) -> AsyncIterator[None]:
    """Ends the call with the status of the exception that is raised within."""
    try:
        yield
    except (asyncio.CancelledError, grpc.aio.AbortError):
        raise
    except ClientGoneError:
        # Its call has ended already; no one is left to get a status.
        return
    except CoreError as error:
        await end_with(context, metrics, error)
    except Exception:
        failure = StepFailed("the server failed")
        _log.exception("a call failed", error_id=failure.error_id)
        await end_with(context, metrics, failure)


@contextmanager
def fields_of(message: str) -> Iterator[None]:
    """What is refused within names fields of this message; the core does not know where in a request they stand."""
    try:
        yield
    except CoreError as error:
        error.field = f"{message}.{error.field}" if error.field else ""
        raise


async def end_with(context: Context, metrics: Metrics, error: CoreError) -> None:
    """Ends the call with the status of this error."""
    code = code_of(type(error))
    with harmless("metrics"):
        metrics.error(code.name)
    await context.abort(code, error.message, trailing_metadata(error))
