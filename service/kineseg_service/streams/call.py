"""The call that carries a stream, as the stream knows it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from kineseg_core.errors import CoreError


class Call:
    """A call; `cancel` ends its task.

    Attributes:
        error: What it is to end with, if it was ended by its stream.
        over: Set once it has let go of the stream.
    """

    def __init__(self, cancel: Callable[[], object]) -> None:
        self.error: CoreError | None = None
        self.over = asyncio.Event()
        self._cancel = cancel

    def end(self, error: CoreError | None) -> None:
        """Ends it at once."""
        self.error = error
        self._cancel()


async def ended(task: asyncio.Task[None]) -> None:
    """Waits until a task has ended that has been cancelled, however often whoever waits is cancelled meanwhile.

    A call may be cancelled twice: its client is gone, and another one resumes its stream in the same moment.
    """
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task})
