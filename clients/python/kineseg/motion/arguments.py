"""Numbers that callers pass, checked before anything is made of them."""

from __future__ import annotations

import operator
from numbers import Real
from reprlib import repr as short

from kineseg.motion.errors import RecordingError


def check_number(field: str, value: object, low: float, high: float, unit: str) -> None:
    """Raises RecordingError unless it is a number within these bounds, which are allowed themselves."""
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high:  # type: ignore[operator]
        raise RecordingError(
            f"{field} must be {f'{low:g} to {high:g} {unit}'.rstrip()}, got {short(value)}", field=field
        )


def check_whole(field: str, value: object, low: int, high: int | None = None) -> None:
    """Raises RecordingError unless it is a whole number within these bounds, which are allowed themselves."""
    try:
        found = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        found = low - 1
    if isinstance(value, bool) or found < low or (high is not None and found > high):
        allowed = f"{low} or more" if high is None else f"{low} to {high}"
        raise RecordingError(f"{field} must be a whole number, {allowed}, got {short(value)}", field=field)
