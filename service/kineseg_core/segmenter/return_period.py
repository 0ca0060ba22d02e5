"""How rare an anomaly is in its own stream."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort

_KEPT = 1024


class ReturnPeriod:
    """Once in how many hours something as bad is to be expected, by what the stream has had so far. Picklable.

    The empirical return period (Gumbel, 1941): the time observed, divided by how often the level was reached. It counts
    the latest anomaly itself, so that the worst one of a stream is one in the stream's whole length.

    Only the highest 1024 scores are kept: an anomaly below all of them counts as the least of all there have been.
    """

    def __init__(self) -> None:
        self._highest = array("d")  # rising
        self._count = 0

    def hours(self, score: float, observed_hours: float) -> float:
        """The return period of an anomaly of this score that is not among those added.

        Args:
            score: Its highest score so far.
            observed_hours: Length of the stream so far.
        """
        at_least = len(self._highest) - bisect_left(self._highest, score)
        if at_least == len(self._highest):
            at_least = self._count
        return observed_hours / (at_least + 1)

    def add(self, score: float) -> None:
        """An anomaly is over; `score` was its highest."""
        self._count += 1
        insort(self._highest, score)
        if len(self._highest) > _KEPT:
            del self._highest[0]
