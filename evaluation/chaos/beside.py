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
_NICE, _FIRST = 15, -20


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
    """Who makes trouble has a machine of his own where it is meant: here he is to leave the cores to the others."""
    policy = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
    nice = _NICE
    if policy is not None and policy in (os.SCHED_FIFO, os.SCHED_RR):  # of `chrt`
        # Behind all that have it, and before all else. Not as the least of those: where they leave no time to others,
        # Linux stops all of them for a twentieth of every second, those that are measured as well.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        nice = _FIRST
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
