"""How tasks send and read calls, one after the other, for as long as another one follows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import grpc

from kineseg._aio_status import CallStatus
from kineseg._aio_waiting import AsyncWaiting
from kineseg._errors import Cancelled, ClientClosed, Internal, KinesegError
from kineseg._following import Followed, Following, failure_of

AnyCall: TypeAlias = grpc.aio.StreamStreamCall[Any, Any]


class AsyncReading(AsyncWaiting):
    """A part of what has calls, for asyncio; see `Reading`.

    Attributes:
        _connect: Makes a call.
        _tasks: Those that send and read.
    """

    _connect: Callable[[], AnyCall]
    _call: AnyCall | None
    _tasks: set[asyncio.Task[None]]

    def _begin_reading(self, followed: Followed) -> None:
        """Makes a call, and what reads it and those that follow it."""
        number = followed.begin_call()
        self._start(self._receive(followed, number, *self._call_of(followed, number)), "kineseg-reader")

    def _call_of(self, followed: Followed, number: int) -> tuple[AnyCall, CallStatus]:
        """A call, and the task that sends in it."""
        call = self._call = self._connect()
        status = CallStatus(call, self._settings.error)
        self._start(self._transmit(followed, number, call, status), "kineseg-writer")
        return call, status

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_tasks(self, in_s: float) -> None:
        """Ends the call; within so many seconds the server may do so."""
        if in_s and self._tasks:
            await asyncio.wait(self._tasks, timeout=in_s)
        self._end_call()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end_call(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def _ask_again(self, number: int, call: AnyCall) -> float | None:
        """Something may be due to be asked for again; seconds after which it may be next, if ever."""
        return None

    async def _transmit(self, followed: Followed, number: int, call: AnyCall, status: CallStatus) -> None:
        """What the writer does, until nothing more will be sent in a call."""
        try:
            while True:
                while True:
                    wait_s = self._ask_again(number, call)
                    if followed.request_ready(number):
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._queued.wait()
                request = followed.next_request(number)
                if request is None:
                    break
                await call.write(request)
            if not call.done():
                await call.done_writing()
        except Exception as error:
            failure = Internal(f"sending failed: {error!r}")
            if call.done():  # as it nearly always has; the reader says why, once it has read what came before
                await status.error()
                if not status.lost:
                    return
            if not followed.resumes:
                followed.finish(failure, number)
                self._arrived()
                self._queued()
            call.cancel()  # and the reader makes another, if any follows

    async def _receive(self, followed: Followed, number: int, call: AnyCall, status: CallStatus) -> None:
        """What the reader does."""
        following = Following(followed, self._settings)
        failure = await self._read(followed, number, call, status)
        while True:
            call.cancel()
            wait_s = following.wait_s(failure, number)
            self._arrived()
            self._queued()
            if wait_s is None:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    while not followed.over:
                        await self._arrived.wait()
            if followed.over:
                return
            number = followed.begin_call()
            patience_s = following.patience_s()
            try:
                call, status = self._call_of(followed, number)
            except KinesegError as error:
                failure = error
                continue
            opening = asyncio.get_running_loop().call_later(patience_s, self._settings.abandon, call)
            failure = await self._read(followed, number, call, status, opening)
            opening.cancel()

    async def _read(
        self,
        followed: Followed,
        number: int,
        call: AnyCall,
        status: CallStatus,
        opening: asyncio.TimerHandle | None = None,
    ) -> KinesegError | None:
        """Takes what comes in a call, to its end; how it ended, unless well. The first message cancels `opening`."""
        try:
            with contextlib.suppress(grpc.RpcError):  # its status may be made up
                async for response in call:
                    if opening is not None:
                        opening.cancel()
                    followed.receive(response, number)
                    self._arrived()
                    self._queued()
            return await status.error()
        except asyncio.CancelledError:  # the call was cancelled, or the loop is ending; this task does either way
            failure = ClientClosed() if self._settings.is_closed() else Cancelled("the call was cancelled")
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the loop is ending
                followed.finish(failure)
            return failure
        except Exception as error:
            return failure_of(error, self._settings.error)
