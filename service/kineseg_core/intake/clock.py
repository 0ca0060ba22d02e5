"""A source's clock: from capture times to the times of frames, and whether the clock fits the declared rate.

Stamps are taken as they are, with one exception. Frames that are stamped on arrival and arrive in bursts (Bluetooth,
Lab Streaming Layer) have stamps that crowd together and then leave a hole, in which nothing is missing. A stamp that
lies within a third of a period of the one before says nothing about when its frame was captured: such a frame counts as
captured one period after the one before it, and the hole that follows as the time that this took. What these times are
ahead of the stamps is caught up with slowly where no hole follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kineseg_core.errors import InvalidFrame

SECOND = 1_000_000_000

# A clock contradicts the rate where it runs this many times faster or slower, persistently.
_CONTRADICTION = 1.5
# Where all steps are as long as gaps are, fewer of them are enough.
_GAP_PERIODS = 2.5
_FEW_STEPS, _SOME_STEPS = 8, 32
# Slow and fast are assessed over so many seconds: bursts of that length are no contradiction.
_BURST_S = 2.0
# Of the steps, so many must be slow: 3 of 4.
_MOST = 0.75
# No time that is counted in nanoseconds may leave 64 bits, whatever is added to it: 73 years.
LATEST_NS = 1 << 61


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far a clock has come; a value, so that a refused chunk changes nothing.

    Attributes:
        stamp_ns: The last stamp, since the first.
        time_ns: Time of the last frame: the stamp, or ahead of it.
        ahead_ns: How much earlier than the declared rate allows frames have come; what bursts owe.
        longest: The longest step between two stamps, in nanoseconds.
        steps: How many steps there have been.
        slow, gaping: How many of them were longer than the rate has them: by half, by as much as gaps are.
    """

    stamp_ns: int = 0
    time_ns: int = 0
    ahead_ns: int = 0
    longest: int = 0
    steps: int = 0
    slow: int = 0
    gaping: int = 0


class CaptureClock:
    """Turns the capture times of one stream into times since its first frame. Picklable.

    Args:
        rate_hz: The declared frames a second.

    Attributes:
        first_ns: The first frame's stamp; none before it has come.
    """

    def __init__(self, rate_hz: float) -> None:
        self.first_ns: int | None = None
        self._rate_hz = rate_hz
        self._period = SECOND / rate_hz
        self._burst = max(_SOME_STEPS, round(_BURST_S * rate_hz))  # frames that may come at once
        self._assessed_after = 2 * self._burst  # a clock that is slow is so from its beginning
        self._frames = 0
        self._at = _Progress()

    def read(self, lost: int, stamps_ns: Sequence[int]) -> tuple[list[int], CaptureClock]:
        """Times of the next frames, and the clock as it is after them; this one stays as it is.

        Args:
            lost: How many frames are missing before the first of these.
            stamps_ns: Their capture times, at least one.

        Raises:
            InvalidFrame: They do not increase, lie centuries apart, or contradict the declared rate.
        """
        origin = stamps_ns[0] if self.first_ns is None else self.first_ns
        self._check_order(stamps_ns, origin)
        stamps = np.asarray([stamp - origin for stamp in stamps_ns], np.int64)
        after = CaptureClock.__new__(CaptureClock)
        after.__dict__.update(self.__dict__)
        after.first_ns, after._frames = origin, self._frames + len(stamps)
        begins = self._frames == 0
        steps = np.diff(stamps) if begins else np.diff(stamps, prepend=self._at.stamp_ns)
        if self._is_plain(steps, lost):
            times: list[int] = stamps.tolist()
            longest = max(self._at.longest, int(steps.max(initial=0)))
            after._at = replace(
                self._at, stamp_ns=times[-1], time_ns=times[-1], longest=longest, steps=self._at.steps + len(steps)
            )
            return times, after
        return after._follow(stamps.tolist(), lost, begins=begins), after

    def check_end(self) -> None:
        """The stream has ended: a short one, too, must have kept its rate.

        Raises:
            InvalidFrame: No two of at least eight frames were as far apart as the rate has them.
        """
        if self._at.steps >= _FEW_STEPS - 1 and self._at.longest * _CONTRADICTION < self._period:
            raise self._contradiction(self._at.steps * SECOND / max(self._at.stamp_ns, 1))

    def _check_order(self, stamps_ns: Sequence[int], origin: int) -> None:
        before = None if self.first_ns is None else origin + self._at.stamp_ns
        if before is not None and stamps_ns[0] <= before:
            raise InvalidFrame(
                f"the chunk's first capture time {stamps_ns[0]} is not after the last one, {before}",
                field="capture_times_ns",
                reason="CAPTURE_TIMES_INVALID",
            )
        for at in range(1, len(stamps_ns)):
            if stamps_ns[at] <= stamps_ns[at - 1]:
                raise InvalidFrame(
                    f"capture times must increase; frame {at} of the chunk has {stamps_ns[at]} after "
                    f"{stamps_ns[at - 1]}",
                    field="capture_times_ns",
                    reason="CAPTURE_TIMES_INVALID",
                )
        if stamps_ns[-1] - origin > LATEST_NS:
            raise InvalidFrame(
                f"the capture time {stamps_ns[-1]} lies decades after the stream's first, {origin}; capture times "
                "are nanoseconds of one clock",
                field="capture_times_ns",
                reason="CAPTURE_TIMES_INVALID",
            )

    def _is_plain(self, steps: NDArray[np.int64], lost: int) -> bool:
        """Whether the stamps are what they should be, so that nothing has to be looked at frame by frame."""
        at = self._at
        if lost or at.time_ns != at.stamp_ns or at.ahead_ns or (at.slow and at.steps <= self._assessed_after):
            return False
        low, high = self._period / _CONTRADICTION, self._period * _CONTRADICTION
        return bool(((steps > low) & (steps < high)).all())

    def _follow(self, stamps: list[int], lost: int, *, begins: bool) -> list[int]:
        """Times of these frames; advances this clock over them."""
        at, times = self._at, []
        period = round(self._period)
        stamp_ns, time_ns, ahead_ns = at.stamp_ns, at.time_ns, at.ahead_ns
        longest, steps, slow, gaping = at.longest, at.steps, at.slow, at.gaping
        for i, stamp in enumerate(stamps):
            expected = period * (1 + lost) if i == 0 else period
            if begins and i == 0:
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
            slow += since > _CONTRADICTION * expected
            gaping += since > _GAP_PERIODS * expected
            longest = max(longest, step // (expected // period))
            ahead_ns = max(0, ahead_ns + expected - int(step * _CONTRADICTION))
            stamp_ns = stamp
            times.append(time_ns)
            self._at = _Progress(stamp_ns, time_ns, ahead_ns, longest, steps, slow, gaping)
            self._check_pace()
        return times

    def _check_pace(self) -> None:
        at = self._at
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
