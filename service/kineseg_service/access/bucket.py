"""A rate that must not be exceeded for long."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic

# What may come at once is what the rate allows in so many seconds.
_BURST_S = 2.0
_LATE_S = 0.5
_LEAST, _MOST_GROWTH = 1e-9, 1.25


class Bucket:
    """A rate: so many a second, and `_BURST_S` seconds' worth at once.

    Args:
        limit: A second.
        clock: Seconds.

    Attributes:
        limit: As given.
        rate: How much of that is left to this process, see `leave_to_others`.
    """

    def __init__(self, limit: float, clock: Callable[[], float] = monotonic) -> None:
        self.limit = self.rate = limit
        self._clock = clock
        self._left = self._most
        self._at = self._measured_at = clock()
        self._taken = self._lately = 0.0

    @property
    def _most(self) -> float:
        return max(1.0, self.rate * _BURST_S)

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
        self._taken += amount

    def measured(self) -> float:
        """How much has been taken a second of late; to be called every now and then."""
        now = self._clock()
        if (elapsed := now - self._measured_at) > 0.0:
            self._lately += min(1.0, elapsed / _LATE_S) * (self._taken / elapsed - self._lately)
            self._taken, self._measured_at = 0.0, now
        return self._lately

    def leave_to_others(self, taken: float, processes: int) -> None:
        """Other processes have taken so much a second of late: what they leave is what may be taken here.

        Where that is too much together, all take less in proportion, but none less than its equal part; where something
        is left, all may take more. They look at each other, and would swing if each went all the way at once.
        """
        together = max(self._lately + taken, _LEAST)
        wanted = self.rate * min(_MOST_GROWTH, math.sqrt(self.limit / together))
        self.rate = min(self.limit, max(self.limit / processes, wanted))

    def _fill(self) -> None:
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self.rate)
        self._at = now
