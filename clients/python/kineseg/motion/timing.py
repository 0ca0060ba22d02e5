"""Frame rates of files: taken from timestamps, or missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kineseg.motion.errors import MotionFileError, RecordingError
from kineseg.motion.recording import check_rate


def rate_from_times(times: NDArray[np.float64], *, path: Path, field: str) -> float:
    """Frames per second from the median step, so that gaps and jitter do not bend it.

    Args:
        times: ``(T,)`` seconds.
        path: Named in errors.
        field: The column or key that the times came from.

    Raises:
        MotionFileError: Fewer than two times, or they do not increase.
    """
    if len(times) < 2:
        raise MotionFileError(f"one time in {field!r} gives no rate; give a rate", path=path, field=field)
    steps = np.diff(times)
    if not (steps > 0).all():
        row = int(np.flatnonzero(~(steps > 0))[0]) + 1
        raise MotionFileError(
            f"times in {field!r} must increase, but frame {row} is not later than the one before it",
            path=path,
            field=field,
        )
    return float(1.0 / np.median(steps))


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
