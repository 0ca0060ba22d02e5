"""What tasks wait for each other with."""

from __future__ import annotations

import asyncio


class Pulse:
    """Wakes everybody who waits now, and no one who comes later."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        """Wake them."""
        self._event.set()
        self._event.clear()

    async def wait(self) -> None:
        """Wait for the next time."""
        await self._event.wait()
