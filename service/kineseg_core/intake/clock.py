"""A source's clock: from capture times to the times of frames, and whether the clock fits the declared rate.

Stamps are taken as they are, with one exception. Frames that are stamped on arrival and arrive in bursts (Bluetooth,
Lab Streaming Layer) have stamps that crowd together and then leave a hole, in which nothing is missing. A stamp that
lies within a third of a period of the one before says nothing about when its frame was captured: such a frame counts as
captured one period after the one before it, and the hole that follows as the time that this took. What these times are
ahead of the stamps is caught up with slowly where no hole follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kineseg_core.errors import InvalidFrame
from kineseg_core.intake.steady_clock import CONTRADICTION, PROGRESS, follow_steady
from kineseg_core.kept.declared import keeps

I64 = NDArray[np.int64]

SECOND = 1_000_000_000

# Where all steps are as long as gaps are, fewer of them are enough.
_GAP_PERIODS = 2.5
_FEW_STEPS, _SOME_STEPS = 8, 32
# Slow and fast are assessed over so many seconds: bursts of that length are no contradiction.
_BURST_S = 2.0
# Of the steps, so many must be slow: 3 of 4.
_MOST = 0.75
# No time that is counted in nanoseconds may leave 64 bits, whatever is added to it: 73 years.
LATEST_NS = 1 << 61


class _Progress(NamedTuple):
    """How far a clock has come, see `PROGRESS`."""

    begun: int
    first_ns: int
    stamp_ns: int
    time_ns: int
    ahead_ns: int
    longest: int
    steps: int
    slow: int
    gaping: int


@keeps("_at", fixed="_assessed_after _burst _period _rate_hz")
class CaptureClock:
    """Turns the capture times of one stream into times since its first frame. Picklable.

    Args:
        rate_hz: The declared frames a second.
    """

    __slots__ = ("_assessed_after", "_at", "_burst", "_period", "_rate_hz")

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._period = SECOND / rate_hz
        self._burst = max(_SOME_STEPS, round(_BURST_S * rate_hz))  # frames that may come at once
        self._assessed_after = 2 * self._burst  # a clock that is slow is so from its beginning
        self._at = np.zeros(1, PROGRESS)

    @property
    def first_ns(self) -> int | None:
        """The first frame's stamp; none before it has come."""
        at = self._progress
        return at.first_ns if at.begun else None

    def read(self, lost: int, stamps_ns: Sequence[int], times_ns: I64) -> bool:
        """Times of the next frames.

        Args:
            lost: How many frames are missing before the first of these.
            stamps_ns: Their n capture times, at least one.
            times_ns: ``(n,)`` to be filled.

        Returns:
            Whether they are about as far apart as the rate has them, so that nothing is missing between.

        Raises:
            InvalidFrame: They do not increase, lie centuries apart, or contradict the declared rate; the clock stays as
                it was.
        """
        stamps = _as_array(stamps_ns)
        if not lost and follow_steady(stamps, self._period, self._assessed_after, self._at, times_ns):
            return True
        at = self._progress
        if not at.begun:
            at = at._replace(first_ns=stamps_ns[0])
        self._check_order(stamps_ns, at)
        times_ns[:], at = self._follow([stamp - at.first_ns for stamp in stamps_ns], lost, at)
        self._at[0] = at
        return False

    def check_end(self) -> None:
        """The stream has ended: a short one, too, must have kept its rate.

        Raises:
            InvalidFrame: No two of at least eight frames were as far apart as the rate has them.
        """
        at = self._progress
        if at.steps >= _FEW_STEPS - 1 and at.longest * CONTRADICTION < self._period:
            raise self._contradiction(at.steps * SECOND / max(at.stamp_ns, 1))

    @property
    def _progress(self) -> _Progress:
        return _Progress(*self._at[0].item())

    def _check_order(self, stamps_ns: Sequence[int], at: _Progress) -> None:
        before = at.first_ns + at.stamp_ns
        if at.begun and stamps_ns[0] <= before:
            raise InvalidFrame(
                f"the chunk's first capture time {stamps_ns[0]} is not after the last one, {before}",
                field="capture_times_ns",
                reason="CAPTURE_TIMES_INVALID",
            )
        for i in range(1, len(stamps_ns)):
            if stamps_ns[i] <= stamps_ns[i - 1]:
                raise InvalidFrame(
                    f"capture times must increase; frame {i} of the chunk has {stamps_ns[i]} after {stamps_ns[i - 1]}",
                    field="capture_times_ns",
                    reason="CAPTURE_TIMES_INVALID",
                )
        if stamps_ns[-1] - at.first_ns > LATEST_NS:
            raise InvalidFrame(
                f"the capture time {stamps_ns[-1]} lies decades after the stream's first, {at.first_ns}; capture times "
                "are nanoseconds of one clock",
                field="capture_times_ns",
                reason="CAPTURE_TIMES_INVALID",
            )

    def _follow(self, stamps: list[int], lost: int, at: _Progress) -> tuple[list[int], _Progress]:
        """Times of these frames, whose stamps are since the first, and how far the clock has come with them."""
        times = []
        period = round(self._period)
        begun, first_ns, stamp_ns, time_ns, ahead_ns, longest, steps, slow, gaping = at
        for i, stamp in enumerate(stamps):
            expected = period * (1 + lost) if i == 0 else period
            if not begun:
                begun = 1
                times.append(stamp)
                continue
            step = stamp - stamp_ns
            before = time_ns
            if step * 3 < period:
                time_ns += expected
            else:
                time_ns = max(stamp, time_ns + min(step, period) * 9 // 10) if time_ns > stamp_ns else stamp
            since = time_ns - before
            steps += 1
            slow += since > CONTRADICTION * expected
            gaping += since > _GAP_PERIODS * expected
            longest = max(longest, step // (expected // period))
            ahead_ns = max(0, ahead_ns + expected - int(step * CONTRADICTION))
            stamp_ns = stamp
            times.append(time_ns)
            self._check_pace(_Progress(begun, first_ns, stamp_ns, time_ns, ahead_ns, longest, steps, slow, gaping))
        return times, _Progress(begun, first_ns, stamp_ns, time_ns, ahead_ns, longest, steps, slow, gaping)

    def _check_pace(self, at: _Progress) -> None:
        if at.ahead_ns > self._burst * self._period:
            raise self._contradiction(at.steps * SECOND / max(at.stamp_ns, 1))
        if at.steps > self._assessed_after:
            return
        is_gaping = at.steps >= _FEW_STEPS and at.gaping > _MOST * at.steps
        is_slow = at.steps >= self._burst and at.slow > _MOST * at.steps
        if is_gaping or is_slow:
            raise self._contradiction(at.steps * SECOND / max(at.time_ns, 1))

    def _contradiction(self, clock_hz: float) -> InvalidFrame:
        return InvalidFrame(
            f"the capture times say {clock_hz:.4g} frames a second, but the stream's rate is {self._rate_hz:g}: give "
            "the rate at which frames are captured, and their times in the unit of the field (nanoseconds in "
            "capture_times_ns; in the Python SDK seconds in timestamps, or nanoseconds in timestamps_ns); of frames "
            "that are stamped when they arrive, leave the times out",
            field="capture_times_ns",
            reason="CLOCK_CONTRADICTS_RATE",
        )


def _as_array(stamps_ns: Sequence[int]) -> I64:
    try:
        return np.array(stamps_ns, np.int64)
    except OverflowError:
        raise InvalidFrame(
            "a capture time does not fit 64 bits; capture times are nanoseconds of one clock",
            field="capture_times_ns",
            reason="CAPTURE_TIMES_INVALID",
        ) from None
