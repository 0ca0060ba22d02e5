"""What asks a server process to end: SIGTERM, and SIGINT, which is Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def end_signals() -> Iterator[asyncio.Event]:
    """What the signals set while the context lasts. To be used in the main thread, in its event loop."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    with ExitStack() as stack:
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                loop.add_signal_handler(number, asked.set)
            except NotImplementedError:  # the loops of Windows have no handlers, but wake up for those of the process
                stack.callback(signal.signal, number, signal.getsignal(number))
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(asked.set))
        yield asked
