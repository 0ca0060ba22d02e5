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
_LOOK_AGAIN_S = 0.01
_LOOKS = 500


class CallStatus:
    """The status of a call that is not made up.

    Args:
        call: The call, just made.
        describe: The SDK's error for gRPC's.

    Attributes:
        lost: Whether `error` waited in vain for what the server said.
    """

    def __init__(self, call: grpc.aio.Call, describe: Callable[[grpc.RpcError], KinesegError]) -> None:
        self.lost = False
        self._call = call
        self._describe = describe
        self._ended = asyncio.Event()
        self._genuine = False
        self._error: KinesegError | None = None
        call.add_done_callback(lambda _: self._note())

    async def error(self) -> KinesegError | None:
        """Wait for the end of the call; None if it ended well."""
        await self._ended.wait()
        for _ in range(_LOOKS):
            if self._genuine:
                return self._error
            await asyncio.sleep(_LOOK_AGAIN_S)  # no one is called when the server's status replaces the made-up one
            self._note()
        self.lost = True
        return self._error

    def _note(self) -> None:
        if self._genuine:
            return
        details = _now(self._call.details())
        code = _now(self._call.code())
        self._genuine = details != _NOT_THE_SERVERS_WORD
        self._error = None
        if code is not grpc.StatusCode.OK:
            nothing = grpc.aio.Metadata()
            trailing = _now(self._call.trailing_metadata())
            self._error = self._describe(grpc.aio.AioRpcError(code, nothing, trailing or nothing, details))
        self._ended.set()


def _now(work: Coroutine[Any, Any, Value]) -> Value:
    """The result of a coroutine that has nothing to wait for: the status is there when a callback hears of it."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Value = done.value
        return result
    work.close()
    raise RuntimeError("a finished call kept its status to itself")
