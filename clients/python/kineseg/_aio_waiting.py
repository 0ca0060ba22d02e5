"""How tasks wait for a call: until something has come of it, or its server has been silent for too long."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable

from kineseg._base_stream import CallSettings, Cancellable
from kineseg._pulse import Pulse


class AsyncWaiting(ABC):
    """A part of what has a call, for asyncio; see `Waiting`."""

    _settings: CallSettings
    _call: Cancellable | None
    _arrived: Pulse
    _queued: Pulse

    async def _wait(self, ready: Callable[[], bool]) -> None:
        while not ready():
            self._queued()
            left = self._give_up_silent()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._arrived.wait()

    def _give_up_silent(self) -> float:
        """Seconds to wait at most for the server; a call whose server has been silent for too long is over."""
        left = self._left_s()
        if left == 0.0:
            self._arrived()
            self._queued()
            if self._call is not None:
                self._settings.abandon(self._call)
        return left

    @abstractmethod
    def _left_s(self) -> float:
        """How long the server may go on being silent, see `Silence.left`."""
