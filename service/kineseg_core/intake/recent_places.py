"""Which frames came when, of late."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence

import numpy as np

from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps

# An anomaly is known within seconds of its beginning; one that began earlier counts from there.
_REMEMBERED_S, _MOST_REMEMBERED = 10.0, 2048
_FAR_S = 4e9
"""No frame comes so early or so late."""
LONGEST_NS = (1 << 32) - 1
"""Over four seconds; longer steps are kept apart."""

Place = tuple[int, int]
"""A frame and its time in nanoseconds."""


@within("0 <= _count", "-1 <= _frame")
@keeps("_steps _count _frame _ns _leaps")
class RecentPlaces:
    """The last frames, by the steps from each to the next. Picklable.

    Args:
        rate_hz: About how many come in a second.
    """

    __slots__ = ("_count", "_frame", "_leaps", "_ns", "_steps")

    _leaps: deque[tuple[int, int, int]]
    """Steps over more than a frame or a long time: the place among all steps, frames, and nanoseconds."""

    def __init__(self, rate_hz: float) -> None:
        self._steps = array("I", bytes(4 * min(_MOST_REMEMBERED, max(1, round(_REMEMBERED_S * rate_hz)))))
        self._count = 0
        self._frame, self._ns = -1, 0  # the newest
        self._leaps = deque()

    @property
    def last(self) -> Place:
        """The newest."""
        return self._frame, self._ns

    @property
    def last_ns(self) -> int:
        """Its time."""
        return self._ns

    def extend(self, first: int, times_ns: Sequence[int]) -> None:
        """The next frames: consecutive ones from the number `first` on, and their times, which increase."""
        if not times_ns:
            return
        steps = [now - before for before, now in zip((self._ns, *times_ns), times_ns, strict=False)]
        if first != self._frame + 1 or max(steps) > LONGEST_NS or not self._count:
            self._see_leaps(first, steps)
            steps = [min(step, LONGEST_NS) for step in steps]
        size, count = len(self._steps), self._count
        row = count % size
        if row + len(steps) <= size:
            self._steps[row : row + len(steps)] = array("I", steps)
        else:
            for place, step in enumerate(steps, count):
                self._steps[place % size] = step
        self._count = count + len(steps)
        self._frame, self._ns = first + len(steps) - 1, times_ns[-1]

    def follow(self, first: int, steps_ns: array[int], last_ns: int) -> bool:
        """The same where the steps are known, from the newest to the first of these on, none of over four seconds.

        Returns:
            Whether that could be done: these frames follow the newest at once, and there is room for them in one piece.
        """
        steps, count, many = self._steps, self._count, len(steps_ns)
        row = count % len(steps)
        if not many or first != self._frame + 1 or not count or row + many > len(steps):
            return False
        steps[row : row + many] = steps_ns
        self._count = count + many
        self._frame, self._ns = first + many - 1, last_ns
        return True

    def check_kept(self) -> None:
        """Raises `ValueError` unless all leaps are of steps that there were, oldest first."""
        places = [place for place, _, _ in self._leaps]
        if places != sorted(places) or (places and not 0 <= places[0] <= places[-1] < self._count):
            raise ValueError("there are steps that no frame has made")

    def nearest(self, time_s: float) -> Place:
        """The frame nearest to a time, of those that are remembered."""
        known = min(self._count, len(self._steps))
        first = self._count - known
        ns = np.array(self._steps, np.int64)[np.arange(first, self._count) % len(self._steps)]
        frames = np.ones(known, np.int64)
        for place, leapt, lasted in self._leaps:
            if place >= first:
                frames[place - first], ns[place - first] = leapt, lasted
        # From the newest back: the step to a frame is what lies between it and the one before.
        times = self._ns - (ns[::-1].cumsum() - ns[::-1])[::-1]
        at = int(np.abs(times - round(min(max(time_s, -_FAR_S), _FAR_S) * 1e9)).argmin())
        return self._frame - int(frames[at + 1 :].sum()), int(times[at])

    def _see_leaps(self, first: int, steps: Sequence[int]) -> None:
        for place, step in enumerate(steps, self._count):
            leapt = first - self._frame if place == self._count else 1
            if leapt != 1 or step > LONGEST_NS or place == 0:
                self._leaps.append((place, leapt, step))
        while self._leaps[0][0] < self._count - len(self._steps):
            self._leaps.popleft()
