"""What a stream's own signal says of a stretch of it: how fast it goes, whether it rests or repeats.

This looks at whole streams, to sort what went right and wrong by circumstances; no method sees any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from evaluation.quality.stream import AnnotatedStream

Array = NDArray[np.float64]

RATE = 10.0
QUIET_SHARE = 0.5  # of the stream's mean speed: slower is quiet
QUIET_OVER_S = 1.0  # speeds are means over so much
LIKE_ITSELF = 0.3  # autocorrelation from which a movement repeats
_LEAST_SHARE = 0.05  # of the median deviation, for channels that hardly move


@dataclass(frozen=True, eq=False)
class Movement:
    """A stream's signal, each channel standardised by all of the stream.

    Attributes:
        values: ``(T', C)`` at `RATE`.
        rate: Frames per second of the stream.
    """

    values: Array
    rate: float

    @classmethod
    def of(cls, stream: AnnotatedStream) -> Movement:
        """The movement of a stream."""
        values = stream.signal(RATE)
        deviation = values.std(axis=0)
        least = max(_LEAST_SHARE * float(np.median(deviation)), 1e-12)
        return cls((values - values.mean(axis=0)) / np.maximum(deviation, least), stream.rate)

    @cached_property
    def speed(self) -> Array:
        """``(T',)`` root mean square over channels of the change in a second, as means over `QUIET_OVER_S`."""
        change = np.sqrt(np.square(np.diff(self.values, axis=0, prepend=self.values[:1])).mean(axis=1)) * RATE
        return np.asarray(uniform_filter1d(change, max(1, round(QUIET_OVER_S * RATE)), mode="nearest"))

    @cached_property
    def quiet(self) -> NDArray[np.bool_]:
        """``(T',)`` where the stream is slow against its own mean."""
        return np.asarray(self.speed < QUIET_SHARE * self.speed.mean())

    def part(self, start: float, end: float) -> slice:
        """The samples of frames `start` to `end`, one at least."""
        first = min(round(start * RATE / self.rate), len(self.values) - 1)
        return slice(first, max(first + 1, round(end * RATE / self.rate)))

    def mostly_quiet(self, part: slice) -> bool:
        """Whether more than half of a stretch is quiet."""
        return bool(self.quiet[part].mean() > 0.5)

    def period_s(self, part: slice) -> float | None:
        """Seconds after which a stretch is most like itself again; None if it does not repeat within its half."""
        values = self.values[part] - self.values[part].mean(axis=0)
        power = float(np.square(values).mean())
        lags = len(values) // 2
        if lags < 2 or power == 0.0:
            return None
        like = np.array([float((values[: len(values) - k] * values[k:]).mean()) for k in range(lags + 1)]) / power
        unlike = np.flatnonzero(like < 0.0)
        if not len(unlike):
            return None
        again = unlike[0] + int(np.argmax(like[unlike[0] :]))
        return again / RATE if like[again] >= LIKE_ITSELF else None
