"""The heap of a server's process, kept small. All of it is about glibc; elsewhere nothing is done."""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Callable

_EVERY_S = 5.0
_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h


def share_heap() -> None:
    """One heap for all threads that begin from now on; for processes that are a server and nothing else.

    Each would have one of its own, with free pages that no other thread can use. Those that allocate wait for Python's
    lock anyway. Where `MALLOC_ARENA_MAX` is set, that stays.
    """
    set_option = _of_glibc("mallopt", ctypes.c_int, ctypes.c_int)
    if set_option is not None and "MALLOC_ARENA_MAX" not in os.environ:
        set_option(_ARENA_MAX, 1)


def heap_trimmer() -> Callable[[], object] | None:
    """What gives the free pages of the heap back to the system, in about a millisecond; none: nothing does."""
    trim = _of_glibc("malloc_trim", ctypes.c_size_t)
    return None if trim is None else lambda: trim(0)


async def keep_heap_small(every_s: float = _EVERY_S) -> None:
    """Gives them back every so often, until it is cancelled.

    By itself glibc gives back what lies at the heap's end alone: a process keeps what its largest bursts have taken.
    """
    trim = heap_trimmer()
    while trim is not None:
        await asyncio.to_thread(trim)
        await asyncio.sleep(every_s)


def _of_glibc(name: str, *arguments: type) -> Callable[..., int] | None:
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
    function.argtypes, function.restype = arguments, ctypes.c_int  # type: ignore[attr-defined]
    return function
