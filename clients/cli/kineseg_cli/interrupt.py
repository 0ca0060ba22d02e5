"""Ctrl-C and SIGTERM while a stream runs: the first ends it properly, the second ends the process as usual."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kineseg_cli.failures import INTERRUPTED, TERMINATED

_STATUS = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}


class Stop(threading.Event):
    """Set when nothing more is to be sent: by a signal, which it remembers, or by the end of the stream.

    Attributes:
        status: The exit status that the signal stands for; 0 without one.
    """

    status = 0

    @property
    def interrupted(self) -> bool:
        """Whether a signal asked for the end."""
        return self.status != 0


@contextmanager
def interruptible() -> Iterator[Stop]:
    """The event that the signals set while the context lasts."""
    stop = Stop()
    # Only the main thread can install signal handlers, and only there does Ctrl-C arrive.
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    usual = {number: signal.getsignal(number) for number in _STATUS}

    def interrupt(number: int, *_: object) -> None:
        stop.status = _STATUS[signal.Signals(number)]
        stop.set()
        for each, handler in usual.items():
            signal.signal(each, handler)

    for number in usual:
        signal.signal(number, interrupt)
    try:
        yield stop
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
