"""The call that carries a stream, as the stream knows it."""

from __future__ import annotations

import asyncio
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
