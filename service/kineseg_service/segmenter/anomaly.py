"""When motion is unlike what the model predicts: surprise against its own recent past."""

from __future__ import annotations

import numpy as np

from kineseg_service.segmenter.scale import RunningQuantile
from kineseg_service.segmenter.settings import SegmenterSettings


class SurpriseMonitor:
    """Robust standard score of log surprise, and where it stays above a threshold.

    The median adapts to the stream; the deviation does too, but is never taken smaller than the training data's, so
    that a quiet stream does not make every movement an anomaly. Two thresholds (hysteresis) keep one excursion one.
    Units are blocks of `settings.block_s`.
    """

    def __init__(self, settings: SegmenterSettings) -> None:
        horizon, prior = (max(1, round(s / settings.block_s)) for s in (settings.anomaly_horizon_s, settings.prior_s))
        self._least_scale = settings.log_surprise_scale
        self.threshold = settings.anomaly_threshold
        self._needed = max(1, round(settings.anomaly_s / settings.block_s))
        self._median = RunningQuantile(horizon, settings.log_surprise_median, prior)
        self._deviation = RunningQuantile(horizon, settings.log_surprise_scale / 1.4826, prior)
        self._count = 0
        self._above = 0
        self._inside = False
        self.score = 0.0

    def update(self, log_surprise: float) -> int | None:
        """Takes the next block's mean log surprise; returns where an anomaly that is told now began, or None."""
        offset = log_surprise - self._median.value
        self.score = offset / max(1.4826 * self._deviation.value, self._least_scale)
        self._median.add(np.array([log_surprise]))
        self._deviation.add(np.array([abs(offset)]))
        if self._count % 10 == 0:
            self._median.refresh()
            self._deviation.refresh()
        self._count += 1
        if self.score < self.threshold / 2:
            self._inside = False
        self._above = self._above + 1 if self.score >= self.threshold else 0
        if self._inside or self._above < self._needed:
            return None
        self._inside = True
        return self._count - self._above
