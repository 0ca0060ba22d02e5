"""Plain values that callers pass, checked before anything is made of them."""

from __future__ import annotations

import math
import operator
from numbers import Integral, Real
from reprlib import repr as short
from typing import cast

import numpy as np

from kineseg._errors import InvalidRequest

_LONGEST_S = 1e6  # no clock, lock or timer takes much more


def number(field: str, value: object, bounds: tuple[float, float], unit: str = "") -> float:
    """A number within bounds, which are allowed themselves.

    Raises:
        InvalidRequest: It is none, or lies outside.
    """
    low, high = bounds
    found = _real(value)
    if not low <= found <= high:
        allowed = f"{low:g} to {high:g} {unit}".rstrip()
        raise InvalidRequest(f"{field} must be {allowed}, got {short(value)}", field=field)
    return found


def seconds(field: str, value: object, least: float) -> float:
    """A time; what is longer than eleven days, or infinite, counts as that.

    Raises:
        InvalidRequest: It is none, or too short.
    """
    found = _real(value)
    if not found >= least:
        raise InvalidRequest(f"{field} must be {least:g} seconds or more, got {short(value)}", field=field)
    return min(found, _LONGEST_S)


def wait(field: str, value: object) -> float:
    """Seconds to wait at most: less than none, as of a time that is over, is none.

    Raises:
        InvalidRequest: It is no number.
    """
    found = _real(value)
    if math.isnan(found):
        raise InvalidRequest(f"{field} must be seconds, got {short(value)}", field=field)
    return min(max(found, 0.0), _LONGEST_S)


def whole(field: str, value: object, least: int, most: int | None = None) -> int:
    """A whole number within bounds, which are allowed themselves.

    Raises:
        InvalidRequest: It is none, or lies outside.
    """
    try:
        found = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        found = least - 1
    if isinstance(value, bool) or found < least or (most is not None and found > most):
        allowed = f"{least} or more" if most is None else f"{least} to {most}"
        raise InvalidRequest(f"{field} must be a whole number, {allowed}, got {short(value)}", field=field)
    return found


def flag(field: str, value: object) -> bool:
    """True or False.

    Raises:
        InvalidRequest: It is neither.
    """
    if not isinstance(value, Integral | np.bool_) or value not in (0, 1):
        raise InvalidRequest(f"{field} must be True or False, got {short(value)}", field=field)
    return bool(value)


def text(field: str, value: object) -> str:
    """Text that can be sent.

    Raises:
        InvalidRequest: It is none.
    """
    if not isinstance(value, str):
        raise InvalidRequest(f"{field} must be text, got {short(value)}", field=field)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"{field} holds half a character: {short(value)}", field=field) from None
    return value


def _real(value: object) -> float:
    """As a number; what is none is not a number, which compares false with everything."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if cast("int", value) > 0 else -math.inf
