"""What goes on beside the trial, in one event loop in a thread of its own: gRPC does not like several in a process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

Value = TypeVar("Value")
Work = Callable[[asyncio.Event], Awaitable[None]]
"""Goes on until the event is set."""
_NICE = 15


def begin(work: Coroutine[Any, Any, Value]) -> Future[Value]:
    """Begins it; what comes of it, once it is done."""
    return asyncio.run_coroutine_threadsafe(work, _loop())


@contextlib.contextmanager
def going_on(work: Work) -> Iterator[None]:
    """While it is entered; what ends it otherwise is raised on leaving."""
    stop = asyncio.Event()

    async def main() -> None:
        await work(stop)

    done = begin(main())
    try:
        yield
    finally:
        _loop().call_soon_threadsafe(stop.set)
        done.result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()

    def run() -> None:
        _step_back()
        loop.run_forever()

    threading.Thread(target=run, name="beside", daemon=True).start()
    return loop


def _step_back() -> None:
    """Who makes trouble has a machine of his own where it is meant: here he gets what the others leave of the cores,
    and goes at once when one of them wakes up, which niceness alone does not do."""
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # threads that gRPC starts from here are the same
    else:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
