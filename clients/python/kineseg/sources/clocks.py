"""From a sender's numbers and times to an index and a time that only grow."""

from __future__ import annotations

from typing import NamedTuple

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
_REORDERED = 8  # periods that a datagram may come late; what jumps back further is a loop or a restart
_IN_A_ROW = 8  # frames that come too late, one after the other: the sender's clock has been set back
_NUMBERS = 1 << 32  # where counters of 32 bits begin again
_SLACK = SECOND  # what a clock may jump ahead of arrivals


class FrameNumbers:
    """Turns the sender's numbers into steps.

    A sender that captures faster than it streams counts on for the frames it leaves out, so that the usual step is one.

    Args:
        stride: The usual step of its numbers.
    """

    def __init__(self, stride: int = 1) -> None:
        self._stride = max(1, stride)
        self._last: int | None = None

    def step(self, number: int, most: int) -> int | None:
        """Frames since the one before: 1 if none was lost, 0 or less for one that came late; None after a jump.

        Args:
            number: As the sender has it.
            most: What lies further apart than so many frames is no loss, but another count.
        """
        last, self._last = self._last, number
        if last is None:
            return 1
        behind = (number - last) % _NUMBERS
        difference = behind if behind < _NUMBERS // 2 else behind - _NUMBERS
        step = round(difference / self._stride) or (1 if difference > 0 else 0)
        if difference <= 0 and step > -_REORDERED:
            self._last = last  # it was overtaken: the count goes on from the later one
            return step
        return step if 0 < step <= most else None


class Tick(NamedTuple):
    """When a frame was captured.

    Attributes:
        time_ns: Since the first frame; more than the frame's before. None: the frame came late and is left out.
        jumped: Whether the sender's clock has made a jump, as at the end of a loop.
    """

    time_ns: int | None
    jumped: bool = False


class SenderClock:
    """Times of the sender's clock: as they are, while it runs; loops, midnight and restarts go on where it was.

    Args:
        period_ns: How far apart frames are.
    """

    def __init__(self, period_ns: float) -> None:
        self._period = period_ns
        self._last: int | None = None
        self._arrived = 0
        self._time = 0
        self._late = 0

    def tick(self, time_ns: int, arrived_ns: int, steps: int | None) -> Tick:
        """The next frame.

        Args:
            time_ns: By the sender's clock.
            arrived_ns: By ours.
            steps: Frames since the one before by the sender's count, if it counts; None: it does not, or began again.
        """
        if self._last is None:
            self._last, self._arrived = time_ns, arrived_ns
            return Tick(0)
        step = time_ns - self._last
        waited = max(0, arrived_ns - self._arrived)
        if step < 0 and 0 < step + DAY <= waited + _SLACK:
            step += DAY  # a clock that counts since midnight
        if -_REORDERED * self._period < step <= 0 and self._late < _IN_A_ROW:
            self._late += 1
            return Tick(None)
        self._late = 0
        counted = steps is not None and abs(step - steps * self._period) <= 0.5 * steps * self._period
        runs = step > 0 and (counted or step <= waited + _SLACK)
        self._last, self._arrived = time_ns, arrived_ns
        self._time += step if runs else max(waited, round(self._period))
        return Tick(self._time, not runs)


_GAIN = 0.05  # of what an arrival is off, so much is taken: jitter of 20 ms becomes one of 1 ms
_GAP = 0.25 * SECOND  # an arrival that is later than this is a gap, not jitter
_LEAST_STEP = 0.25  # periods between frames, however they bunch


class ArrivalClock:
    """Times of frames by when they arrive, for senders without a clock: at the rate, led by arrivals.

    Frames that arrive in a burst were not captured at once. Each is placed a period after the one before, and all of
    them drift towards their arrivals.

    Args:
        period_ns: How far apart frames are.
    """

    def __init__(self, period_ns: float) -> None:
        self._nominal = period_ns
        self._period = period_ns
        self._begun: int | None = None
        self._time = 0.0

    def tick(self, arrived_ns: int, steps: int | None) -> Tick:
        """The next frame, see `SenderClock.tick`."""
        if self._begun is None:
            self._begun = arrived_ns
            return Tick(0)
        expected = self._period * max(1, steps or 1)
        late = arrived_ns - self._begun - (self._time + expected)
        if late > _GAP:
            self._time += expected + late
            return Tick(round(self._time), steps is None)
        moved = max(expected + _GAIN * late, _LEAST_STEP * self._nominal)
        self._time += moved
        least, most = 0.8 * self._nominal, 1.25 * self._nominal
        self._period = min(max(self._period + _GAIN**2 / 2 * late, least), most)
        return Tick(round(self._time), steps is None)
