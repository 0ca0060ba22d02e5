"""The name bank of several processes: one of them writes at a time, and all take over what it wrote."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO


class SharedBank:
    """What a process does when it changes the bank.

    Args:
        lock: A file that all processes lock.
        reload_all: Makes every process read the bank anew.
    """

    def __init__(self, lock: Path, reload_all: Callable[[], Awaitable[None]]) -> None:
        self._lock = lock
        self._reload_all = reload_all

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """No other process changes the bank meanwhile."""
        locking = asyncio.ensure_future(asyncio.to_thread(_locked, self._lock))
        try:
            file = await asyncio.shield(locking)
        except asyncio.CancelledError:
            locking.add_done_callback(_unlock)
            raise
        with file:
            yield

    async def changed(self) -> None:
        """The bank has been written: all processes take it over."""
        await self._reload_all()


def _locked(path: Path) -> IO[bytes]:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except BaseException:
        file.close()
        raise
    return file


def _unlock(locking: asyncio.Future[IO[bytes]]) -> None:
    if not locking.cancelled() and locking.exception() is None:
        locking.result().close()
