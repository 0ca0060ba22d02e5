"""Frame rates of files: out of times in some unit, or given, or both where they agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError, RecordingError
from kineseg.motion.recording import check_rate
from kineseg.motion.regular_clock import RegularClock, clock_behind

Array = NDArray[np.float64]

CONTRADICTION = 1.5  # a given rate and one out of times may differ by this factor
_WORTH_SAYING = 0.02
_UNITS = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6, "nanoseconds": 1e-9}
# Seconds since 1970 of a time stamp of our days, in years about 1986 to 2128.
_EPOCH_S = (5e8, 5e9)
_COUNTING_SHARE = 0.9  # of the steps are exactly 1
_SLOWEST, _FASTEST = 1.0, 1000.0  # frames a second that anything here is made for


@dataclass(frozen=True)
class Counted:
    """A column that turned out to count frames: its numbers, without the first one's."""

    at: Array
    notes: tuple[str, ...]


def looks_like_epoch(values: Array) -> bool:
    """Whether values can be time stamps since 1970 in some unit, rising steadily enough to be a clock."""
    if len(values) < 2 or not np.isfinite(values).all() or _epoch_unit(values) is None:
        return False
    steps = np.diff(values)
    return bool((steps >= 0).all() and values[-1] > values[0] and np.median(steps) <= 4.0 * steps.mean())


def counts_by_one(values: Array) -> bool:
    """Whether values are whole numbers that mostly go up by one."""
    if len(values) < 2 or not np.isfinite(values).all() or (values != np.rint(values)).any():
        return False
    steps = np.diff(values)
    return bool((steps >= 1).all() and (steps == 1).mean() >= _COUNTING_SHARE)


def read_clock(
    values: Array, unit_s: float | None, *, path: Path, name: str, what: str, rate: float | None
) -> RegularClock | Counted:
    """What a column or key of times says.

    Args:
        values: ``(T,)`` the times.
        unit_s: Seconds in one unit, where the name says it.
        path: Named in errors.
        name: Of the column or key.
        what: ``column`` or ``key``, for errors.
        rate: Frames per second as given by the user, if they are.

    Returns:
        The clock, with the rate given where there is one; or the frame numbers, if that is what they are and a rate is
        given.

    Raises:
        MotionFileError: The times do not increase, could be a mere count of frames, or contradict the rate.
    """
    _check_order(values, path=path, name=name)
    if unit_s is None and _epoch_unit(values) is None and counts_by_one(values):
        first = ", ".join(f"{value:.0f}" for value in values[:3]) + ", ..."
        if rate is None:
            raise MotionFileError(
                f"{what} {name!r} counts {first}: are these frames? Give a rate (--rate on the command line), or name "
                f"the {what} 'time_s' if they are seconds",
                path=path,
                field="rate",
            )
        return Counted(values - values[0], (f"{what} {name!r} counts {first} and is taken as the number of the frame",))
    unit, notes = (unit_s, ()) if unit_s is not None else _unit(values, path=path, name=name, what=what, rate=rate)
    clock = clock_behind(values, unit, name=name, rate=rate)
    if rate is not None:
        _check_agreement(clock.rate, rate, path=path, name=name, what=what)
        if abs(clock.rate / rate - 1.0) > _WORTH_SAYING:
            said = f"{what} {name!r} says {clock.rate:.6g} frames a second; the rate given, {rate:g}, is used"
            clock = replace(clock, notes=(*clock.notes, said))
    unit_name = next((word for word, size in _UNITS.items() if size == unit), f"units of {unit:g} s")
    taken = f"{what} {name!r} is taken as the time in {unit_name}"
    return RegularClock(clock.rate if rate is None else rate, clock.timestamps, (*(notes or (taken,)), *clock.notes))


def required_rate(rate: float | None, *, path: Path, remedy: str) -> float:
    """The rate, or an error that says how to give one.

    Raises:
        MotionFileError: There is none, or it is not positive.
    """
    if rate is None:
        raise MotionFileError(f"the file does not say its frame rate; {remedy}", path=path, field="rate")
    try:
        return check_rate(rate)
    except RecordingError as error:
        raise MotionFileError(str(error), path=path, field="rate") from None


def _check_order(values: Array, *, path: Path, name: str) -> None:
    if len(values) < 2:
        raise MotionFileError(f"one time in {name!r} gives no rate; give a rate", path=path, field=name)
    unknown = np.flatnonzero(~np.isfinite(values))
    if unknown.size:
        raise MotionFileError(
            f"the time in {name!r} is missing in frame {unknown[0]}; fill it in, or leave {name!r} out and give a rate",
            path=path,
            field=name,
        )
    back = np.flatnonzero(np.diff(values) < 0)
    if back.size or values[0] == values[-1]:
        row = int(back[0]) + 1 if back.size else 1
        raise MotionFileError(
            f"times in {name!r} must increase, but frame {row} is not later than the one before it; sort the rows, or "
            f"leave {name!r} out and give a rate",
            path=path,
            field=name,
        )


def _epoch_unit(values: Array) -> str | None:
    low, high = _EPOCH_S
    for word, size in _UNITS.items():
        if low <= values[0] * size <= high and low <= values[-1] * size <= high:
            step_s = (values[-1] - values[0]) / (len(values) - 1) * size
            return word if step_s < 60.0 else None
    return None


def _unit(values: Array, *, path: Path, name: str, what: str, rate: float | None) -> tuple[float, tuple[str, ...]]:
    """Seconds in one unit of times whose name says none, and what was assumed."""
    epoch = _epoch_unit(values)
    if epoch is not None:
        return _UNITS[epoch], (f"{what} {name!r} is taken as the time in {epoch} since 1970, by its size",)
    step = clock_behind(values, 1.0, name=name).rate ** -1
    if rate is not None:
        fitting = [word for word, size in _UNITS.items() if _agree(1.0 / (step * size), rate)]
        if not fitting:
            _check_agreement(1.0 / step, rate, path=path, name=name, what=what)
        word = fitting[0]
    elif step <= 1.0 / _SLOWEST:
        word = "seconds"
    else:
        fitting = [word for word, size in _UNITS.items() if _SLOWEST <= 1.0 / (step * size) <= _FASTEST]
        if not fitting or step < 5.0:
            raise MotionFileError(
                f"{what} {name!r} goes up by {step:g} a frame, in a unit that its name does not say; name it "
                f"'time_s' or 'time_ms', or give a rate (--rate on the command line)",
                path=path,
                field="rate",
            )
        word = fitting[-1]
    if word == "seconds":
        return 1.0, ()
    return _UNITS[word], (f"{what} {name!r} goes up by {step:.6g} a frame: it is taken as the time in {word}",)


def _agree(a: float, b: float) -> bool:
    return 1.0 / CONTRADICTION <= a / b <= CONTRADICTION


def _check_agreement(own: float, given: float, *, path: Path, name: str, what: str) -> None:
    if not _agree(own, given):
        raise MotionFileError(
            f"{what} {name!r} says {own:.6g} frames a second, the rate given is {given:g}; leave the rate out (--rate "
            f"on the command line), or take the {what} out of the file",
            path=path,
            field="rate",
        )
