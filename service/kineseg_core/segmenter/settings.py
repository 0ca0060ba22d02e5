"""Every number that the segmenter depends on, with its unit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """Settings of one stream's segmenter; the defaults serve embeddings of unit total variance.

    same_action: squared distance of their means, in units of half the stream's median squared distance between blocks,
        up to which two segments are one action, beside what the errors of the means allow for.
    trim_s: what is left out at both ends of a segment when its mean is taken (transitions).
    median_squared_distance: between blocks of a stream, as far as it is known before the stream.
    prior_s: how many seconds of stream the scales known from training weigh.
    clusterer: what gives labels, by name; one of `labels.CLUSTERERS`. All but the first are for comparison.
    max_labels: how many actions are remembered; the one seen longest ago is forgotten first.
    surprise_warm_up_s: how long the model's state takes to know the motion, seconds; until then surprise has no score.
    surprise_horizon_s: over how long its median is taken, seconds.
    log_surprise_median, log_surprise_scale: where log surprise usually lies, from training.
    """

    same_action: float = 0.1
    trim_s: float = 0.4
    median_squared_distance: float = 1.0
    prior_s: float = 10.0
    clusterer: str = "prototypes"
    max_labels: int = 64
    surprise_warm_up_s: float = 1.0
    surprise_horizon_s: float = 30.0
    log_surprise_median: float = 0.0
    log_surprise_scale: float = 1.0

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
