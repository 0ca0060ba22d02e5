"""How unlike the motion is what the model predicts: surprise against its own recent past, as a trace."""

from __future__ import annotations

import math
from typing import NamedTuple

from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.running_quantile import RunningQuantile
from kineseg_core.segmenter.settings import SegmenterSettings

KEPT_S = 0.1
"""One value in so many seconds says enough."""
LEAST_SURPRISE = 1e-9
# The deviation may fall to this share of the training data's, or every move in a calm stream would score high.
_LEAST_DEVIATION = 0.3
NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


class SurpriseScale(NamedTuple):
    """Numbers of a score in frames, at some rate.

    Attributes:
        kept: One frame in so many is kept.
        horizon: Values over which the median is taken.
        prior: Values that what is known from training counts as.
        refresh: Frames between two medians.
        warm_up: Frames without a score.
        least: The deviation does not fall below this.
        median, deviation: Of log surprise, before anything is known of a stream; that from the median, absolute.
    """

    kept: int
    horizon: int
    prior: int
    refresh: int
    warm_up: int
    least: float
    median: float
    deviation: float

    @classmethod
    def of(cls, settings: SegmenterSettings, rate_hz: float) -> SurpriseScale:
        """At so many frames a second."""
        kept = max(1, round(KEPT_S * rate_hz))
        horizon = max(1, round(settings.surprise_horizon_s * rate_hz / kept))
        return cls(
            kept,
            horizon,
            min(max(1, round(settings.prior_s * rate_hz / kept)), horizon),
            max(1, round(rate_hz)),
            max(1, round(settings.surprise_warm_up_s * rate_hz)),
            max(_LEAST_DEVIATION * settings.log_surprise_scale, 1e-6),
            settings.log_surprise_median,
            settings.log_surprise_scale / NORMAL,
        )


@keeps("value _moving _standing _count", fixed="_scale")
class SurpriseScore:
    """Robust standard score of log surprise, frame by frame. Picklable.

    Median and deviation are those of the last `settings.surprise_horizon_s` in motion. Standing still has a baseline of
    its own: there the lower of the two scores counts, and what is seen does not enter the baseline of motion.

    Attributes:
        value: Robust standard deviations of the last frame's log surprise above its median; 0 without a history.
    """

    def __init__(self, settings: SegmenterSettings, rate_hz: float) -> None:
        self._scale = SurpriseScale.of(settings, rate_hz)
        self.value = 0.0
        self._moving, self._standing = (_Baseline(self._scale) for _ in range(2))
        self._count = 0

    def restart(self) -> None:
        """The model's state begins anew and must see something first; the stream's baseline stays known."""
        self._count, self.value = 0, 0.0

    def update(self, surprise: float, *, still: bool = False) -> None:
        """Takes the next frame's surprise, the stream standing still or not."""
        self._count += 1
        if self._count <= self._scale.warm_up:  # the recurrent state has hardly seen anything yet
            return
        level = math.log(max(surprise, LEAST_SURPRISE))
        self.value = self._moving.score(level)
        if still:
            self.value = min(self.value, self._standing.score(level))
        baseline = self._standing if still else self._moving
        if self._count % self._scale.kept == 0:
            baseline.add(level)
        if self._count % self._scale.refresh == 0:
            baseline.refresh()


@keeps("_median _deviation", fixed="_least")
class _Baseline:
    """Median and deviation of the latest log surprises, some of them known from training."""

    def __init__(self, scale: SurpriseScale) -> None:
        self._least = scale.least
        self._median = RunningQuantile(scale.horizon, scale.median, scale.prior)
        self._deviation = RunningQuantile(scale.horizon, scale.deviation, scale.prior)

    def score(self, level: float) -> float:
        """Robust standard deviations above the median."""
        return (level - self._median.value) / max(NORMAL * self._deviation.value, self._least)

    def add(self, level: float) -> None:
        """Takes a value in."""
        self._deviation.add(abs(level - self._median.value))
        self._median.add(level)

    def refresh(self) -> None:
        """Makes the values taken in count."""
        self._median.refresh()
        self._deviation.refresh()
