"""Before all else that runs on the machine: what a trial compares is then not what the machine does besides."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_PRIORITY = 10  # of 1 to 99


@contextlib.contextmanager
def before_others() -> Iterator[bool]:
    """While it is entered, this thread and what it starts go before all that has no real-time priority of its own.

    Yields:
        Whether they do: it takes root, or CAP_SYS_NICE.
    """
    if not hasattr(os, "SCHED_FIFO"):
        yield False
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, policy, parameters)
