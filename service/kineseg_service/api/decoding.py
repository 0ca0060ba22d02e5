"""Bytes that are no message are the fault of who sent them: their call is refused, and no failure is logged."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Self

import grpc
from google.protobuf.message import DecodeError
from kineseg_core.errors import InvalidRequest

from kineseg_service.api.status import Context, end_with
from kineseg_service.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Malformed:
    """What came in the place of a message.

    Attributes:
        why: It could not be read.
    """

    why: str

    def error(self) -> InvalidRequest:
        """What its sender gets to know."""
        return InvalidRequest(
            f"a message cannot be read as what the call takes ({self.why}): are the stubs of this version, and does "
            "something change bytes on the way?",
            reason="MESSAGE_MALFORMED",
        )


class Decoding(grpc.aio.ServerInterceptor):
    """Has all calls read what comes by itself.

    Args:
        metrics: Where refusals are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Puts it before a call."""
        handler = await continuation(details)
        return None if handler is None else self._reading(handler)

    def _reading(self, handler: Any) -> Any:
        kind = ("stream" if handler.request_streaming else "unary", "stream" if handler.response_streaming else "unary")
        act = getattr(handler, "_".join(kind))

        async def answer(request: Any, context: Context) -> Any:
            try:
                if handler.request_streaming:
                    request = _WellFormed(request)
                elif isinstance(request, Malformed):
                    raise request.error()
                if not inspect.isasyncgenfunction(act):
                    return await act(request, context)
                async for response in act(request, context):
                    await context.write(response)
            except InvalidRequest as error:  # of calls that are not ours; ours have ended with it by themselves
                await end_with(context, self._metrics, error)
            return None

        make = getattr(grpc, f"{'_'.join(kind)}_rpc_method_handler")
        return make(answer, _tolerant(handler.request_deserializer), handler.response_serializer)


class _WellFormed:
    """The messages of a call; the first that is none ends it.

    Args:
        requests: As they come.
    """

    def __init__(self, requests: AsyncIterator[Any]) -> None:
        self._requests = requests

    def __aiter__(self) -> Self:
        self._requests = aiter(self._requests)
        return self

    async def __anext__(self) -> Any:
        request = await anext(self._requests)
        if isinstance(request, Malformed):
            raise request.error()
        return request


def _tolerant(read: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """The same, which gives what cannot be read as that."""
    if read is None:
        return None

    def tolerant(data: bytes) -> Any:
        try:
            return read(data)
        except DecodeError as error:
            return Malformed(str(error).partition(":")[2].strip() or "no message")

    return tolerant
