"""Takes the columns of times and of counted frames out of a table, and says what it took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError
from kineseg.motion.regular_clock import RegularClock
from kineseg.motion.tables.columns import Columns
from kineseg.motion.time_names import counts_frames, may_count, time_name
from kineseg.motion.timing import Counted, counts_by_one, looks_like_epoch, read_clock

Array = NDArray[np.float64]

_LEAST_ROWS = 8  # from which on a column without a name can be recognised as a clock or a count
_STRONG = ("time", "stamp", "epoch", "elapsed")


@dataclass(frozen=True)
class TableClock:
    """What a table says about time."""

    rate: float | None
    timestamps: Array | None


def take_clock(columns: Columns, *, path: Path, rate: float | None, rate_said: float | None) -> TableClock:
    """Find the times, and take them and everything that only counts out of the columns.

    Args:
        columns: All columns; changed.
        path: Named in errors.
        rate: Frames per second, as given by the user.
        rate_said: The same, or as the file's header says it.

    Raises:
        MotionFileError: The times cannot be used, see `read_clock`.
    """
    name = _time_column(columns)
    clock: RegularClock | Counted | None = None
    if name is not None:
        clock = _read(columns, name, path, rate, rate_said)
        columns.notes.extend(clock.notes)
        spare = [other for other in _clocks(columns) if other != name]
        columns.drop([name, *spare])
        if spare:
            columns.notes.append(f"other columns of times are left out: {', '.join(map(repr, spare))}")
    counted = clock.at if isinstance(clock, Counted) else None
    count = _take_counts(columns, alone=clock is None)
    counted = count if counted is None and clock is None else counted
    if isinstance(clock, RegularClock):
        return TableClock(clock.rate if rate_said is None else rate_said, clock.timestamps)
    return TableClock(rate_said, _after_losses(columns, counted, rate_said))


def _read(
    columns: Columns, name: str, path: Path, rate: float | None, rate_said: float | None
) -> RegularClock | Counted:
    values = columns.column(name)
    if name in columns.moments:
        unit: float | None = 1.0
    else:
        named = time_name(name)
        unit = None if named is None else named.unit_s
    try:
        clock = read_clock(values, unit, path=path, name=name, what="column", rate=rate_said)
    except MotionFileError as error:
        if rate is None and rate_said is not None and error.field == "rate":  # the header's rate is no word of the user
            return read_clock(values, unit, path=path, name=name, what="column", rate=None)
        raise
    if name in columns.moments and isinstance(clock, RegularClock):
        return replace(
            clock, notes=(f"column {name!r} holds times of day or dates: it is taken as the time", *clock.notes[1:])
        )
    return clock


def _time_column(columns: Columns) -> str | None:
    named = [name for name in columns.names if name in columns.moments or time_name(name) is not None]
    usable = [name for name in named if _is_strong(columns, name) or _rises(columns.column(name))]
    if usable:
        return min(usable, key=lambda name: _rank(columns, name))
    epochs = [name for place, name in enumerate(columns.names) if looks_like_epoch(columns.values[:, place])]
    if epochs:
        return epochs[0]
    first = columns.column(columns.names[0])
    if not columns.named and len(columns.names) > 1 and len(first) >= _LEAST_ROWS and _rises_evenly(first):
        return columns.names[0]
    return None


def _is_strong(columns: Columns, name: str) -> bool:
    """Whether a column must be the time, so that times that cannot be are an error."""
    if name in columns.moments:
        return True
    bare = name.lower()
    return (any(word in bare for word in _STRONG) and "frame" not in bare) or bare in ("t",)


def _rank(columns: Columns, name: str) -> tuple[bool, bool, bool, int]:
    """Rising before not, with a unit before without, whole times before mere frames of them; then as they stand."""
    named = time_name(name)
    has_unit = name in columns.moments or (named is not None and named.unit_s is not None)
    values = columns.column(name)
    return (not _rises(values), not has_unit and not looks_like_epoch(values), False, columns.names.index(name))


def _rises(values: Array) -> bool:
    return bool(
        len(values) > 1 and np.isfinite(values).all() and (np.diff(values) >= 0).all() and values[-1] > values[0]
    )


def _rises_evenly(values: Array) -> bool:
    """Whether the first column of a table without names is times: a steady rise by the fraction of a second."""
    if not _rises(values):
        return False
    steps = np.diff(values)
    mean = float(steps.mean())
    return 1e-3 <= mean < 1.0 and bool(np.abs(steps - mean).max() <= 0.2 * mean + 1e-9)


def _clocks(columns: Columns) -> list[str]:
    """Every column that is a clock."""

    def is_clock(name: str, values: Array) -> bool:
        return (time_name(name) is not None or looks_like_epoch(values)) and _rises(values)

    return [
        name
        for place, name in enumerate(columns.names)
        if name in columns.moments or is_clock(name, columns.values[:, place])
    ]


def _take_counts(columns: Columns, *, alone: bool) -> Array | None:
    """Leave out what only counts rows; returns the numbers of the frames, if some column says them."""
    taken, frames = [], None
    for place, name in enumerate(columns.names):
        values = columns.values[:, place]
        whole = bool(np.isfinite(values).all() and (values == np.rint(values)).all())
        if not whole:
            continue
        by_name = counts_frames(name) and bool((np.diff(values) >= 0).all() or (values == values[0]).all())
        bare_first = not columns.named and place == 0 and len(values) >= _LEAST_ROWS and len(columns.names) > 1
        if by_name or ((may_count(name) or bare_first) and counts_by_one(values)):
            taken.append(name)
            if by_name and alone and frames is None and len(values) > 1 and (np.diff(values) >= 1).all():
                frames = values - values[0]
    if taken and len(taken) < len(columns.names):
        columns.drop(taken)
        columns.notes.append(f"columns that only count are left out: {', '.join(map(repr, taken))}")
        return frames
    return None


def _after_losses(columns: Columns, at: Array | None, rate: float | None) -> Array | None:
    """The times of counted frames, where numbers are missing among them."""
    if at is None or rate is None:
        return None
    steps = np.diff(at)
    missing = int((steps - 1).sum())
    if np.median(steps) != 1 or not missing:
        return None
    columns.notes.append(f"{missing} numbers of frames are missing: those frames were lost")
    return at / rate
