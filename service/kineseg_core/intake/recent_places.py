"""Which frames came when, of late."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from kineseg_core.intake.clock import SECOND
from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps

# An anomaly is known within seconds of its beginning; one that began earlier counts from there.
_REMEMBERED_S, _MOST_REMEMBERED = 10.0, 2048
_FAR_S = 4e9
"""No frame comes so early or so late."""
_LONGEST_NS = (1 << 32) - 1
"""Over four seconds; longer steps are kept apart."""

Place = tuple[int, int]
"""A frame and its time in nanoseconds."""


@within("0 <= _count", "-1 <= _frame")
@keeps("_steps _count _frame _ns _leaps", fixed="_period _size", passing="_followed")
class RecentPlaces:
    """The last frames, by the steps from each to the next. Picklable.

    Args:
        rate_hz: About how many come in a second.
    """

    __slots__ = ("_count", "_followed", "_frame", "_leaps", "_ns", "_period", "_size", "_steps")

    _steps: array[int] | None
    """A ring; none before there is anything in it: of many a stream frames are only ever counted."""
    _leaps: list[tuple[int, int, int]]
    """Steps over more than a frame or a long time: the place among all steps, frames, and nanoseconds."""

    def __init__(self, rate_hz: float) -> None:
        self._size = min(_MOST_REMEMBERED, max(1, round(_REMEMBERED_S * rate_hz)))
        self._steps = None
        self._count = 0
        self._frame, self._ns = -1, 0  # the newest
        self._leaps = []
        self._period = SECOND / rate_hz
        self._followed = 0  # all frames before this one have come, and those after the newest at the source's own pace

    @property
    def last(self) -> Place:
        """The newest."""
        self.catch_up()
        return self._frame, self._ns

    def follow(self, received: int) -> None:
        """All frames before number `received` have come, those that are new each when its number says: as nearly all
        do, it costs nothing until someone wants to know."""
        self._followed = received

    def catch_up(self) -> None:
        """Takes frames that have only been counted. All methods that need them do."""
        first, forgotten = self._frame + 1, self._followed - self._size
        if first < forgotten:
            self._count += forgotten - first
            self._frame, self._ns = forgotten - 1, self._due(forgotten - 1, forgotten)[0]
            first = forgotten
        if first < self._followed:
            self._extend(first, self._due(first, self._followed))

    def _due(self, first: int, end: int) -> list[int]:
        """When frames come that come at the source's own pace."""
        times_ns: list[int] = np.rint(np.arange(first, end) * self._period).astype(np.int64).tolist()
        return times_ns

    def extend(self, first: int, times_ns: Sequence[int]) -> None:
        """The next frames: consecutive ones from the number `first` on, and their times, which increase."""
        self.catch_up()
        if times_ns:
            self._extend(first, times_ns)

    def _extend(self, first: int, times_ns: Sequence[int]) -> None:
        steps = [now - before for before, now in zip((self._ns, *times_ns), times_ns, strict=False)]
        if first != self._frame + 1 or max(steps) > _LONGEST_NS or not self._count:
            self._see_leaps(first, steps)
            steps = [min(step, _LONGEST_NS) for step in steps]
        size, count = self._size, self._count
        if self._steps is None:
            self._steps = array("I", bytes(4 * size))
        row = count % size
        if row + len(steps) <= size:
            self._steps[row : row + len(steps)] = array("I", steps)
        else:
            for place, step in enumerate(steps, count):
                self._steps[place % size] = step
        self._count = count + len(steps)
        self._frame, self._ns = first + len(steps) - 1, times_ns[-1]

    def check_kept(self) -> None:
        """Raises `ValueError` unless there is room for all steps, and all leaps are of some of these, oldest first."""
        if self._count and (self._steps is None or self._steps.typecode != "I" or len(self._steps) != self._size):
            raise ValueError("there is another room for steps")
        places = [place for place, _, _ in self._leaps]
        if places != sorted(places) or (places and not 0 <= places[0] <= places[-1] < self._count):
            raise ValueError("there are steps that no frame has made")

    def nearest(self, time_s: float) -> Place:
        """The frame nearest to a time, of those that are remembered."""
        self.catch_up()
        known = min(self._count, self._size)
        first = self._count - known
        ns = np.array(self._steps or (), np.int64)[np.arange(first, self._count) % self._size]
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
            if leapt != 1 or step > _LONGEST_NS or place == 0:
                self._leaps.append((place, leapt, step))
        while self._leaps[0][0] < self._count - self._size:
            self._leaps.pop(0)
