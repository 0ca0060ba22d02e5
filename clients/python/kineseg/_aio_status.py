"""How an asynchronous call really ended.

When a message is written to a call that the server has just ended, `grpc.aio` replaces the server's status by one of
its own (https://github.com/grpc/grpc/issues/36066), in either order and at any time. What the server said is noted
here at the moment at which it arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import grpc

from kineseg._errors import KinesegError

Value = TypeVar("Value")

_NOT_THE_SERVERS_WORD = "Internal error from Core"


class CallStatus:
    """The first status of a call that is not made up.

    Args:
        call: The call, just made.
        describe: The SDK's error for gRPC's.
    """

    def __init__(self, call: grpc.aio.Call, describe: Callable[[grpc.RpcError], KinesegError]) -> None:
        self._describe = describe
        self._known = asyncio.Event()
        self._error: KinesegError | None = None
        call.add_done_callback(lambda _: self._note(call))

    async def error(self) -> KinesegError | None:
        """Wait for the end of the call; None if it ended well."""
        await self._known.wait()
        return self._error

    def _note(self, call: grpc.aio.Call) -> None:
        details = _now(call.details())
        if self._known.is_set() or details == _NOT_THE_SERVERS_WORD:
            return
        code = _now(call.code())
        if code is not grpc.StatusCode.OK:
            nothing = grpc.aio.Metadata()
            trailing = _now(call.trailing_metadata())
            self._error = self._describe(grpc.aio.AioRpcError(code, nothing, trailing or nothing, details))
        self._known.set()


def _now(work: Coroutine[Any, Any, Value]) -> Value:
    """The result of a coroutine that has nothing to wait for: the status is there when a callback hears of it."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Value = done.value
        return result
    work.close()
    raise RuntimeError("a finished call kept its status to itself")
