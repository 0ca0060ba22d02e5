"""Puts something around a call, whichever of the four kinds it is of."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from kineseg_service.api.status import Context

Act = Callable[[Any, Context], Awaitable[Any]]
Around = Callable[[Act, Any, Context], Awaitable[Any]]
"""Acts, or gives the call a status and returns nothing."""


def put_around(handler: Any, around: Around, read: Callable[[bytes], Any] | None = None) -> Any:
    """The handler of a call with this around it.

    Args:
        handler: What would answer the call.
        around: Is called in its place, with what acts, the request and the call.
        read: Reads what comes; none: as the handler does.
    """
    kind = ("stream" if handler.request_streaming else "unary", "stream" if handler.response_streaming else "unary")
    inner = getattr(handler, "_".join(kind))

    async def act(request: Any, context: Context) -> Any:
        if not inspect.isasyncgenfunction(inner):
            return await inner(request, context)
        async for response in inner(request, context):
            await context.write(response)
        return None

    async def answer(request: Any, context: Context) -> Any:
        response = await around(act, request, context)
        if response is None and not handler.response_streaming:  # else an empty answer would go before the status
            await _abort(context)
        return response

    make = getattr(grpc, f"{'_'.join(kind)}_rpc_method_handler")
    return make(answer, read or handler.request_deserializer, handler.response_serializer)


async def _abort(context: Context) -> None:
    """Ends a call with the status that it has been given."""
    try:
        await context.abort(context.code(), context.details(), context.trailing_metadata())
    except grpc.aio.AbortError as error:
        # The call keeps it, and so would hold itself: see `status`.
        task, aborted = asyncio.current_task(), error
        assert task is not None
        task.add_done_callback(lambda _: aborted.with_traceback(None))
        raise
