"""Capture times as a caller has them, in nanoseconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kineseg._arrays import array_of
from kineseg._errors import InvalidRequest

_MOST_SECONDS = 2**63 / 1e9


def nanoseconds_of(times: ArrayLike, field: str) -> NDArray[np.int64]:
    """Capture times in whole nanoseconds.

    Args:
        times: ``(T,)``, or a scalar for one frame. The unit follows from `field` and never from the type of the
            numbers; only ``datetime64`` and ``timedelta64`` bring a unit of their own.
        field: ``"timestamps"``: seconds; ``"timestamps_ns"``: nanoseconds.

    Raises:
        InvalidRequest: They are not numbers, not finite, or beyond 2^63 nanoseconds.
    """
    given = np.atleast_1d(array_of(times, field))
    kind = given.dtype.kind
    if kind in "mM":
        return _of_dates(given, field)
    if kind not in "fiu":
        unit = "seconds" if field == "timestamps" else "whole nanoseconds"
        dates = "; dates go in as np.array(..., dtype='datetime64[ns]')" if kind == "O" else ""
        raise InvalidRequest(f"{field} must be {unit}, got {given.dtype}{dates}", field=field)
    if field == "timestamps":
        return _of_seconds(given, field)
    if kind == "f" and not (np.isfinite(given) & (np.rint(given) == given)).all():
        raise InvalidRequest("timestamps_ns must be whole nanoseconds; seconds go into timestamps=", field=field)
    if kind != "i" and (np.abs(given.astype(np.float64)) >= 2.0**63).any():
        raise InvalidRequest(f"{field} must be below 2^63 nanoseconds", field=field)
    return given.astype(np.int64)


def _of_seconds(given: NDArray[np.generic], field: str) -> NDArray[np.int64]:
    if given.dtype.kind == "f":
        seconds = given.astype(np.float64)
        if not (np.abs(seconds) < _MOST_SECONDS).all():  # false for what is not a number, too
            raise InvalidRequest(
                f"{field} must be finite seconds, below {_MOST_SECONDS:.1e}; nanoseconds go into timestamps_ns=",
                field=field,
            )
        # Whole seconds and the rest apart: their product with 10^9 would lose nanoseconds of a time since 1970.
        whole = np.floor(seconds)
        rest: NDArray[np.int64] = np.rint((seconds - whole) * 1e9).astype(np.int64)
        return whole.astype(np.int64) * 1_000_000_000 + rest
    if (np.abs(given.astype(np.float64)) >= _MOST_SECONDS).any():
        raise InvalidRequest(
            f"{field} are seconds, and {given.max()} of them are centuries; nanoseconds go into timestamps_ns=",
            field=field,
        )
    return given.astype(np.int64) * 1_000_000_000


def _of_dates(given: NDArray[np.generic], field: str) -> NDArray[np.int64]:
    if np.isnat(given).any():
        raise InvalidRequest(f"{field} must not be NaT", field=field)
    unit = "datetime64[ns]" if given.dtype.kind == "M" else "timedelta64[ns]"
    times: NDArray[np.int64] = given.astype(unit).astype(np.int64)
    return times
