"""Between gRPC and the calls: bytes that are no message are the fault of who sent them, and what a call raises is its
status."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Self

import grpc
from google.protobuf.message import DecodeError
from kineseg_core.errors import InvalidRequest

from kineseg_service.api.around import Act, put_around
from kineseg_service.api.status import Context, statuses
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


class Answering(grpc.aio.ServerInterceptor):
    """Reads what comes for all calls, and ends them with a status.

    Args:
        metrics: Where refusals are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """Puts it before a call."""
        handler = await continuation(details)
        if handler is None:
            return None

        async def around(act: Act, request: Any, context: Context) -> Any:
            with statuses(context, self._metrics):
                if handler.request_streaming:
                    request = _WellFormed(request)
                elif isinstance(request, Malformed):
                    raise request.error()
                return await act(request, context)

        return put_around(handler, around, _tolerant(handler.request_deserializer))


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
