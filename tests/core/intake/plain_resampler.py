"""The plainest way from a source's frames to a model's: all frames since the open tick are kept, and then weighed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from kineseg_core.intake.clock import SECOND
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Place = tuple[int, int, int, int]
"""Frame and time that decide a model frame, and where it begins."""


class PlainResampler:
    """See `kineseg_core.intake.resampling.Resampler`; of one stretch.

    Attributes:
        made, places: The model frames so far.
    """

    def __init__(self, rate_hz: float, model_rate_hz: float) -> None:
        self.made: list[F32] = []
        self.places: list[Place] = []
        self._period, self._tick_period = SECOND / rate_hz, SECOND / model_rate_hz
        self._averages = rate_hz > model_rate_hz
        self._kept: list[tuple[int, F64]] = []
        self._number = -1
        self._tick = 0
        self._start = (0, 0)

    def push(self, number: int, frame: F32, now_ns: int) -> None:
        """The next frame; where its number is not the next one, frames before it are missing."""
        if not self._kept:
            exact = number * self._period
            self._origin = exact if round(exact) == now_ns else float(now_ns)
            self._kept, self._number = [(now_ns, frame.astype(np.float64))], number - 1
        step, self._number = number - self._number, number
        self._kept.append((now_ns, frame.astype(np.float64)))
        last_ns = self._kept[-2][0]
        span_ns = now_ns - last_ns
        while self._time_of(self._tick) <= now_ns:
            since_ns = self._time_of(self._tick) - last_ns
            back = step - (2 * since_ns * step + span_ns) // (2 * span_ns) if span_ns else 0
            start = number - back, now_ns - back * span_ns // step
            if not self._averages:
                self._make(self._interpolated(since_ns / span_ns if span_ns else 1.0), (number, now_ns, *start))
            elif self._tick:
                self._make(self._mean(), (number, now_ns, *self._start))
            self._start = start
            self._tick += 1
            del self._kept[:-2]

    def _make(self, frame: F64, place: Place) -> None:
        self.made.append(frame.astype(np.float32))
        self.places.append(place)

    def _time_of(self, tick: int) -> int:
        return round(self._origin + tick * self._tick_period)

    def _interpolated(self, weight: float) -> F64:
        (_, last), (_, frame) = self._kept[-2:]
        return last * (1.0 - weight) + frame * weight

    def _mean(self) -> F64:
        begin, end = self._time_of(self._tick - 1), self._time_of(self._tick)
        total = np.zeros_like(self._kept[0][1])
        for weight, (_, frame) in zip(weights([at for at, _ in self._kept], begin, end), self._kept, strict=True):
            total = total + weight * frame
        return total / (end - begin)


def weights(times_ns: Sequence[int], begin: int, end: int) -> list[float]:
    """What each of these frames counts in the mean, from `begin` to `end`, of the line through them, in nanoseconds."""
    counted = [0.0] * len(times_ns)
    for i, (a, b) in enumerate(itertools.pairwise(times_ns)):
        p, q = max(a, begin), min(b, end)
        if p < q:
            middle = (p + q - 2 * a) / (2 * (b - a))
            counted[i] += (q - p) * (1.0 - middle)
            counted[i + 1] += (q - p) * middle
    return counted
