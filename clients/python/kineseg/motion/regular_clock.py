"""The clock behind the times of a file: how many frames a second, and when each frame really was.

Times in files are rounded to a few decimals (60 frames a second with two: 0.00, 0.02, 0.03, 0.05 ...), so that a single
step says little about the rate, but all of them together say it exactly. A time that lies within its rounding of a
regular clock is taken to be that clock's. Missing frames, pauses and times that jitter are recognised as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST_RATE = 1e12  # frames a second; beyond, numbers end
_USUAL_RATES = (
    *(5.0, 10.0, 12.5, 15.0, 20.0, 24.0, 25.0, 30.0, 32.0, 40.0, 48.0, 50.0, 60.0, 64.0, 72.0, 75.0, 80.0, 90.0, 100.0),
    *(120.0, 125.0, 128.0, 144.0, 150.0, 160.0, 180.0, 200.0, 240.0, 250.0, 256.0, 300.0, 360.0, 400.0, 480.0, 500.0),
    *(512.0, 600.0, 800.0, 960.0, 1000.0),
    *(n * 1000.0 / 1001.0 for n in (24, 30, 48, 60, 90, 120, 240)),  # video's 29.97 and its like
)
_GAP = 1.5  # a step longer than so many periods leaves frames out
_BURSTS_SHARE, _BURSTS_LOST = 0.1, 0.6  # so many long steps, so many frames lost in them: no camera does this
_SHORTEST_S, _FEW_PAUSES = 0.95e-3, 0.005  # and so fast between them, fewer are enough
_LONGEST = 1e12  # frames in a pause: beyond that, it is no clock
_TOO_FEW_TO_TELL = 2
_LEAST_RUN = 10  # frames in a stretch, on average, that can show a rate
_ROUNDING_SLACK = 1.02  # times are rounded on the way to being rounded
_SHOWN_ROUNDING = 0.02  # of a period: rounding beyond this is worth a word


@dataclass(frozen=True)
class RegularClock:
    """What the times of a file say.

    Attributes:
        rate: Frames per second.
        timestamps: ``(T,)`` seconds, strictly increasing; None where the times say no more than the rate.
        notes: What was assumed, for people.
    """

    rate: float
    timestamps: Array | None
    notes: tuple[str, ...] = ()


def clock_behind(ticks: Array, unit_s: float, *, name: str, rate: float | None = None) -> RegularClock:
    """The clock behind times that never decrease.

    Args:
        ticks: ``(T,)`` at least two, finite, not all equal.
        unit_s: Seconds in one unit of `ticks`.
        name: Of the column or key, for notes.
        rate: Frames per second that the times are expected to have; preferred if they may.
    """
    from_start = ticks - ticks[0]
    noise = 8.0 * np.finfo(np.float64).eps * float(np.abs(ticks).max())
    rounding = _rounding(from_start, noise)
    steps = np.diff(from_start)
    middle = float(np.median(steps))
    rounded = _Numbering.of(steps, rounding + noise, start=float(steps.mean()))
    # Where many frames are lost, the mean step is no step at all, but the median still is.
    strict = _Numbering.of(steps, noise, start=middle if 0.0 < middle < steps.mean() else float(steps.mean()))
    if strict.in_bursts(steps, unit_s) or (_share(steps == 0.0) > _BURSTS_SHARE and rounding < 0.3 * steps.mean()):
        found = float(len(steps) / max(from_start[-1] * unit_s, len(steps) / _MOST_RATE))
        note = f"the times in {name!r} come in bursts, as of arrival: only the rate, {found:.4g}, is taken from them"
        return RegularClock(found, None, (note,))
    slack = rounding * _ROUNDING_SLACK + noise
    for number, whole, usual in _explanations(len(ticks), rounded, strict, slack):
        run = np.zeros_like(number.runs) if whole else number.runs
        fitted = _fitted(from_start, number.at, run, slack, unit_s, rate, usual=usual)
        if fitted is not None:
            found, offsets = fitted
            times = ticks[0] * unit_s + (number.at / found + (offsets - offsets[0])[run] * unit_s)
            if (np.diff(times) > 0).all():
                return RegularClock(found, times, _rounding_notes(name, found, rounding * unit_s))
    found = _snapped(1.0 / max(rounded.period * unit_s, 1.0 / _MOST_RATE))
    times, spread = _spread(ticks * unit_s, 1.0 / found)
    notes = () if not spread else (f"{spread} times in {name!r} equal the one before: they are spread evenly",)
    return RegularClock(found, times, notes)


@dataclass(frozen=True)
class _Numbering:
    """Which frame of a clock each time belongs to, where a step may be longer by some allowance and leave none out."""

    period: float
    at: Array
    runs: NDArray[np.intp]  # which stretch without a missing frame

    @classmethod
    def of(cls, steps: Array, allowance: float, *, start: float) -> _Numbering:
        period = start
        for _ in range(30):
            usual = steps[steps <= _GAP * period + allowance]
            shorter = float(usual.mean()) if len(usual) else period
            if shorter <= 0.0 or shorter >= period:
                break
            period = shorter
        long = steps > _GAP * period + allowance
        with np.errstate(over="ignore"):
            jumps = np.where(long, np.clip(np.rint(steps / period), 1.0, _LONGEST), 1.0)
        return cls(period, np.concatenate(([0.0], np.cumsum(jumps))), np.concatenate(([0], np.cumsum(long))))

    @property
    def pauses(self) -> int:
        return int(self.runs[-1])

    def in_bursts(self, steps: Array, unit_s: float) -> bool:
        share, lost = self.pauses / len(steps), 1.0 - len(steps) / self.at[-1]
        too_fast = self.period * unit_s < _SHORTEST_S
        return bool(lost > _BURSTS_LOST and share > (_FEW_PAUSES if too_fast else _BURSTS_SHARE))


def _explanations(
    count: int, rounded: _Numbering, strict: _Numbering, slack: float
) -> Iterator[tuple[_Numbering, bool, bool]]:
    """What may be behind the times, likeliest first: a numbering, whether one clock goes through all pauses, and
    whether its rate is a usual one.

    A step that is longer by no more than the rounding is either rounding or a lost frame. Rounding recurs regularly, so
    that a clock without losses fits; one or two such steps are too few to say, and likelier to be losses from a clock
    whose period is a whole number of rounding steps.
    """
    if 0 < strict.pauses - rounded.pauses <= _TOO_FEW_TO_TELL:
        yield strict, True, True
    for number in (rounded, strict):
        # Where rounding is as coarse as the clock, a new start after a pause looks like it, and fits anything.
        stretches = 0 < number.pauses <= count / _LEAST_RUN - 1 and slack < number.period / 2.0
        yield number, True, True
        if stretches:
            yield number, False, True
        yield number, True, False
        if stretches:
            yield number, False, False


def _rounding(values: Array, noise: float) -> float:
    """The coarsest decimal step that all values are multiples of, or 0."""
    for exponent in range(3, -10, -1):
        step = 10.0**exponent
        if noise > 0.02 * step:
            return 0.0
        scaled = values / step
        if float(np.abs(scaled - np.rint(scaled)).max()) * step <= noise + 1e-6 * step:
            return step
    return 0.0


def _share(where: NDArray[np.bool_]) -> float:
    return float(where.mean())


def _fitted(
    values: Array, at: Array, runs: NDArray[np.intp], slack: float, unit_s: float, rate: float | None, *, usual: bool
) -> tuple[float, Array] | None:
    """The rate of a regular clock from which no value is further off than by rounding, and where its runs begin."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(runs)) + 1))
    counts = np.diff(np.concatenate((starts, [len(values)])))
    centred_at = at - np.repeat(np.add.reduceat(at, starts) / counts, counts)
    centred = values - np.repeat(np.add.reduceat(values, starts) / counts, counts)
    weight = float((centred_at**2).sum())
    slope = float((centred_at * centred).sum()) / weight if weight > 0 else 0.0
    # Steps too small for any rate are no clock's either.
    if slope * unit_s <= 1.0 / _MOST_RATE:
        return None

    def bounds(period: float) -> tuple[Array, Array]:
        off = values - at * period
        return np.minimum.reduceat(off, starts), np.maximum.reduceat(off, starts)

    def furthest(period: float) -> float:
        low, high = bounds(period)
        return float((high - low).max())

    reach = 2.0 * slack / float(counts.max())
    if furthest(slope) > slack + reach * float(counts.max()):
        return None  # no clock near this one would do
    estimate = 1.0 / (slope * unit_s)
    near = sorted(_USUAL_RATES, key=lambda known: abs(known - estimate))[:3]
    candidates = (
        (*(() if rate is None else (rate,)), *near) if usual else (float(max(round(estimate), 1)), estimate, None)
    )
    for candidate in candidates:
        period = _least(furthest, slope - reach, slope + reach) if candidate is None else 1.0 / (candidate * unit_s)
        if period > 0 and furthest(period) <= slack:
            low, high = bounds(period)
            return candidate or 1.0 / (period * unit_s), (low + high) / 2.0
    return None


def _least(cost: Callable[[float], float], low: float, high: float) -> float:
    """Where a convex function is least, by golden section."""
    golden = (5.0**0.5 - 1.0) / 2.0
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = cost(left), cost(right)
    for _ in range(60):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = cost(right)
    return (low + high) / 2.0


def _snapped(rate: float) -> float:
    """The rate, or the usual or whole one that it hardly differs from."""
    near = min((*_USUAL_RATES, float(max(round(rate), 1))), key=lambda usual: abs(usual - rate))
    return near if abs(near - rate) <= 2e-4 * rate else rate


def _spread(times: Array, period: float) -> tuple[Array, int]:
    """Equal times made to follow each other, evenly up to the next; and how many they were."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(times)) + 1))
    counts = np.diff(np.concatenate((starts, [len(times)])))
    equal = len(times) - len(starts)
    if not equal:
        return times, 0
    following = np.concatenate((times[starts[1:]], times[-1:] + period * counts[-1]))
    room = np.minimum(following - times[starts], period * counts)
    place = np.arange(len(times)) - np.repeat(starts, counts)
    return times + place * np.repeat(room / counts, counts), equal


def _rounding_notes(name: str, rate: float, rounding_s: float) -> tuple[str, ...]:
    if rounding_s * rate <= _SHOWN_ROUNDING or abs(round(1.0 / (rounding_s * rate)) * rounding_s * rate - 1.0) < 1e-9:
        return ()
    return (f"the times in {name!r} are rounded to {rounding_s:g} s: the rate {rate:.6g} is from all of them together",)
