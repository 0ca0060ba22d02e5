"""A rate that must not be exceeded for long."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

# What may come at once is what the rate allows in so many seconds.
_BURST_S = 2.0


class Bucket:
    """A rate: so many a second, and `_BURST_S` seconds' worth at once.

    Args:
        rate: A second.
        clock: Seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._most = max(1.0, rate * _BURST_S)
        self._left = self._most
        self._at = clock()

    @property
    def is_full(self) -> bool:
        """Nothing has been taken for a while."""
        self._fill()
        return self._left >= self._most

    def wait_s(self, least: float = 0.0) -> float:
        """How long until more than nothing, or as much as `least`, is left."""
        self._fill()
        missing = least - self._left
        return max(0.0, missing / self.rate)

    def take(self, amount: float) -> None:
        """Takes so much; what is not there is owed."""
        self._fill()
        self._left -= amount

    def _fill(self) -> None:
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self.rate)
        self._at = now
