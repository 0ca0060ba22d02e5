"""Whether a process gets on, as threads beside its event loop see it."""

from __future__ import annotations

import asyncio
from time import monotonic


class Pulse:
    """An event loop's sign of life, from its start on until it is stopped.

    Args:
        hangs_s: A loop that has not come round for so long hangs.

    Attributes:
        serves: Set by whoever knows: what this process is there for goes on.
    """

    def __init__(self, hangs_s: float = 15.0) -> None:
        self.serves = False
        self._hangs_s = hangs_s
        self._at = monotonic()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins. To be called in the event loop."""
        self._at = monotonic()
        self._timer = asyncio.get_running_loop().call_later(self._hangs_s / 10, self.start)

    def stop(self) -> None:
        """Ends."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_alive(self) -> bool:
        """The loop comes round."""
        return monotonic() - self._at < self._hangs_s

    @property
    def is_ready(self) -> bool:
        """And what the process is there for goes on."""
        return self.serves and self.is_alive
