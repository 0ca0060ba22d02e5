"""What a cell of a table holds: a number, a missing value, a time of day or a date, or text."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

_MISSING = frozenset(
    (
        *("", "nan", "na", "n/a", "#n/a", "#na", "null", "none", "nil", "nat", "<na>", "missing", "-", "--", "---"),
        *(".", "?", "+nan", "-nan", "nan(ind)", "-nan(ind)", "1.#qnan", "-1.#ind", "#value!", "#div/0!", "undefined"),
    )
)
_FLAGS = {"true": 1.0, "false": 0.0}
_DAY_S = 86400.0
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)\s*([ap]m)?", re.IGNORECASE)
_DATE_AND_CLOCK = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T]+(\d.*)")


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a value that is not there, in any of the usual spellings."""
    return cell.strip().lower() in _MISSING


def number(cell: str, *, decimal_comma: bool = False) -> float | None:
    """The number in a cell (NaN for a missing value), or None for anything else."""
    text = cell.strip()
    if text.lower() in _MISSING:
        return math.nan
    if text.lower() in _FLAGS:
        return _FLAGS[text.lower()]
    if decimal_comma:
        if "." in text:
            return None
        text = text.replace(",", ".")
    if "_" in text:  # Python's own 1_000
        return None
    try:
        return float(text)
    except ValueError:
        return None


def moment(cell: str) -> float | None:
    """Seconds of a date with a time (since 1970) or of a time of day or elapsed time (``HH:MM:SS.sss``), or None."""
    text = cell.strip()
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        hours, minutes, seconds, half = clock.groups()
        hour = int(hours or 0) % 12 + (12 if half.lower() == "pm" else 0) if half else int(hours or 0)
        return hour * 3600.0 + int(minutes) * 60.0 + float(seconds.replace(",", "."))
    if len(text) < 8 or not text[:1].isdigit() or text.isdigit():
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        dated = _DATE_AND_CLOCK.fullmatch(text)  # day or month first: the time of day is what counts
        return None if dated is None else moment(dated[1])


def unwrapped(seconds: list[float]) -> list[float]:
    """Times of day made to go on past midnight."""
    days, last, out = 0.0, -math.inf, []
    for value in seconds:
        if value + days < last - _DAY_S / 2.0:
            days += _DAY_S
        last = value + days
        out.append(last)
    return out
