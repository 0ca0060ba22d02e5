"""Every number that the segmenter depends on, with its unit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from kineseg_core.log_odds import log_odds, moved


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """Settings of one stream's segmenter; the defaults serve embeddings of unit total variance.

    block_s: embeddings are averaged over blocks of this many seconds before anything else is done with them.
    horizon_s: how much of the open segment's past is compared with its present, and over how long scales are estimated.
    min_segment_s: the shortest segment.
    commit_fraction: a boundary of the best segmentation is decided once its age is this share of the latency budget.
    penalty: cost of a boundary, in units of what cuts between adjoining windows of `window_s` gain in this stream.
    gain_quantile: which quantile of those gains is the unit.
    bandwidth: squared width of the kernel, in units of the stream's median squared distance.
    window_s: length of those windows, seconds.
    provisional_at: from which probability of being confirmed on, averaged over a few moments, a boundary is emitted as
        provisional; above 1: none is.
    confirm_at: from which probability on, given its features, a candidate boundary is confirmed; 0: all are.
    retry_s: how long after a rejected candidate the next may be, seconds.
    same_action: squared distance of their means, in units of half the stream's median squared distance between blocks,
        up to which two segments are one action, beside what the errors of the means allow for.
    trim_s: what is left out at both ends of a segment when its mean is taken (transitions).
    median_squared_distance: between blocks of a stream, as far as it is known before the stream.
    prior_s: how many seconds of stream the scales known from training weigh.
    clusterer: what gives labels, by name; one of `labels.CLUSTERERS`. All but the first are for comparison.
    max_labels: how many actions are remembered; the one seen longest ago is forgotten first.
    anomaly_threshold: robust standard deviations of log surprise above the median from which on an anomaly is reported.
    anomaly_pause_s: for how long surprise must have been below half of that before another is reported, seconds.
    anomaly_warm_up_s: how long the model's state takes to know the motion, seconds; until then none is reported.
    anomaly_horizon_s: over how long its median is taken, seconds.
    log_surprise_median, log_surprise_scale: where log surprise usually lies, from training.
    """

    block_s: float = 0.1
    horizon_s: float = 60.0
    min_segment_s: float = 1.5
    commit_fraction: float = 0.9
    penalty: float = 1.2
    gain_quantile: float = 0.75
    bandwidth: float = 0.5
    window_s: float = 1.5
    provisional_at: float = 0.46
    confirm_at: float = 0.4
    retry_s: float = 0.5
    same_action: float = 0.1
    trim_s: float = 0.4
    median_squared_distance: float = 1.0
    prior_s: float = 10.0
    clusterer: str = "prototypes"
    max_labels: int = 64
    anomaly_threshold: float = 5.5
    anomaly_pause_s: float = 1.0
    anomaly_warm_up_s: float = 1.0
    anomaly_horizon_s: float = 30.0
    log_surprise_median: float = 0.0
    log_surprise_scale: float = 1.0

    def at(self, threshold: float) -> SegmenterSettings:
        """The settings whose `confirm_at` is `threshold`; `provisional_at` is moved by the same log odds.

        A candidate must still be in the best segmentation, so that the penalty bounds how many more boundaries a low
        threshold gives.
        """
        by = log_odds(threshold) - log_odds(self.confirm_at)
        provisional_at = self.provisional_at if self.provisional_at > 1.0 else moved(self.provisional_at, by)
        return dataclasses.replace(self, confirm_at=threshold, provisional_at=provisional_at)

    @classmethod
    def from_bundle(
        cls, calibration: Mapping[str, float], *, log_surprise_median: float, log_surprise_scale: float
    ) -> SegmenterSettings:
        """The defaults, with what a bundle's calibration says put over them.

        Raises ValueError naming a setting that does not exist.
        """
        known = {f.name for f in dataclasses.fields(cls)} - {"clusterer"}  # numbers only: a choice is not calibration
        unknown = sorted(set(calibration) - known)
        if unknown:
            raise ValueError(f"calibration.segmenter: unknown settings {', '.join(unknown)}; known are {sorted(known)}")
        values = {k: int(v) if k == "max_labels" else float(v) for k, v in calibration.items()}
        values |= {"log_surprise_median": log_surprise_median, "log_surprise_scale": log_surprise_scale}
        return cls(**values)  # type: ignore[arg-type]
