"""When motion is unlike what the model predicts: surprise against its own recent past."""

from __future__ import annotations

import math

from kineseg_core.segmenter.running_quantile import RunningQuantile
from kineseg_core.segmenter.settings import SegmenterSettings

_KEPT_S = 0.1
_LEAST_SURPRISE = 1e-9
# The deviation may fall to this share of the training data's, or every move in a calm stream would be an anomaly.
_LEAST_DEVIATION = 0.3


class SurpriseMonitor:
    """Robust standard score of log surprise, frame by frame, and where it rises above a threshold.

    Median and deviation are those of the last `settings.anomaly_horizon_s` in motion. Standing still has a baseline of
    its own: there the lower of the two scores counts, and what is seen does not enter the baseline of motion. An
    anomaly is over when the score has been below half the threshold for `settings.anomaly_pause_s`; until then no
    other is emitted.
    """

    def __init__(self, settings: SegmenterSettings, rate_hz: float) -> None:
        warm_up, pause = (
            max(1, round(seconds * rate_hz)) for seconds in (settings.anomaly_warm_up_s, settings.anomaly_pause_s)
        )
        self._kept = max(1, round(_KEPT_S * rate_hz))  # one value in so many frames says enough
        horizon, prior = (
            max(1, round(seconds * rate_hz / self._kept)) for seconds in (settings.anomaly_horizon_s, settings.prior_s)
        )
        self.threshold = settings.anomaly_threshold
        self.score = 0.0
        self._moving, self._standing = (_Baseline(settings, horizon, prior) for _ in range(2))
        self._refresh = max(1, round(rate_hz))
        self._warm_up, self._pause = warm_up, pause
        self._count = 0
        self._calm = pause  # frames below half the threshold since the last one above it

    @property
    def is_over(self) -> bool:
        """Whether the last anomaly, if there was one, is over."""
        return self._calm >= self._pause

    def restart(self) -> None:
        """The model's state begins anew and must see something first; the stream's baseline stays known."""
        self._count, self._calm, self.score = 0, self._pause, 0.0

    def update(self, surprise: float, *, still: bool = False) -> bool:
        """Takes the next frame's surprise, the stream standing still or not; whether an anomaly begins with it."""
        self._count += 1
        if self._count <= self._warm_up:  # the recurrent state has hardly seen anything yet
            return False
        level = math.log(max(surprise, _LEAST_SURPRISE))
        self.score = self._moving.score(level)
        if still:
            self.score = min(self.score, self._standing.score(level))
        baseline = self._standing if still else self._moving
        if self._count % self._kept == 0:
            baseline.add(level)
        if self._count % self._refresh == 0:
            baseline.refresh()
        begins = self.score >= self.threshold and self._calm >= self._pause
        if self.score >= self.threshold:
            self._calm = 0
        elif self.score < self.threshold / 2:
            self._calm += 1
        return begins


class _Baseline:
    """Median and deviation of the latest log surprises, `prior` of them known from training."""

    def __init__(self, settings: SegmenterSettings, horizon: int, prior: int) -> None:
        self._least = max(_LEAST_DEVIATION * settings.log_surprise_scale, 1e-6)
        self._median = RunningQuantile(horizon, settings.log_surprise_median, prior)
        self._deviation = RunningQuantile(horizon, settings.log_surprise_scale / 1.4826, prior)

    def score(self, level: float) -> float:
        """Robust standard deviations above the median."""
        return (level - self._median.value) / max(1.4826 * self._deviation.value, self._least)

    def add(self, level: float) -> None:
        """Takes a value in."""
        self._deviation.add(abs(level - self._median.value))
        self._median.add(level)

    def refresh(self) -> None:
        """Makes the values taken in count."""
        self._median.refresh()
        self._deviation.refresh()
