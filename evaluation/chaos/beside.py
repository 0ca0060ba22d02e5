"""Something that goes on in a thread of its own, in an event loop, for as long as it is entered."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator

Work = Callable[[asyncio.Event], Awaitable[None]]
"""Goes on until the event is set."""


@contextlib.contextmanager
def going_on(work: Work) -> Iterator[None]:
    """While it is entered; what ends it otherwise is raised on leaving."""
    stop: asyncio.Event
    loop: asyncio.AbstractEventLoop
    started = threading.Event()
    failures: list[BaseException] = []

    async def main() -> None:
        nonlocal stop, loop
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        started.set()
        await work(stop)

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait()
    try:
        yield
    finally:
        with contextlib.suppress(RuntimeError):  # it has ended
            loop.call_soon_threadsafe(stop.set)
        thread.join()
    if failures:
        raise failures[0]
