"""Whether a process gets on, as threads beside its event loop see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic


class Pulse:
    """An event loop's sign of life, from its start on until it is stopped.

    Args:
        hangs_s: A loop that has not come round for so long hangs.
        clock: What tells the time, in seconds.

    Attributes:
        serves: Set by whoever knows: what this process is there for goes on.
    """

    def __init__(self, hangs_s: float = 15.0, clock: Callable[[], float] = monotonic) -> None:
        self.serves = False
        self._hangs_s = hangs_s
        self._clock = clock
        self._at = clock()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins. To be called in the event loop."""
        self._at = self._clock()
        self._timer = asyncio.get_running_loop().call_later(self._hangs_s / 10, self.start)

    def stop(self) -> None:
        """Ends."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_alive(self) -> bool:
        """The loop comes round."""
        return self._clock() - self._at < self._hangs_s

    @property
    def is_ready(self) -> bool:
        """And what the process is there for goes on."""
        return self.serves and self.is_alive
