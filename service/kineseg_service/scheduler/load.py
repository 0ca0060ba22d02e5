"""How much of the time the engine is at work for who is not ahead of his own time, as measured, in whichever thread."""

from __future__ import annotations

import time
from collections.abc import Callable

_WINDOW_S = 0.1
# Whoever reads and answers needs the interpreter, too: it is all taken before this is.
_MUCH = 0.5


class Load:
    """The share of the last moments in which something went through. One thread at a time notes it, any may ask.

    Args:
        clock: What tells the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._window_began = clock()
        self._spent_s = self._spent_before_s = 0.0

    def went_through(self, since: float) -> None:
        """Something went through from then until now, by the clock."""
        now = self._clock()
        if now - self._window_began >= _WINDOW_S:
            # Where nothing has gone through for longer than a window, nothing has in the last one either.
            self._spent_before_s = self._spent_s if now - self._window_began < 2.0 * _WINDOW_S else 0.0
            self._spent_s, self._window_began = 0.0, now
        self._spent_s += now - since

    @property
    def is_much(self) -> bool:
        """So much that what comes had better be left to gather."""
        if self._clock() - self._window_began >= 2.0 * _WINDOW_S:
            return False
        return max(self._spent_s, self._spent_before_s) >= _MUCH * _WINDOW_S
