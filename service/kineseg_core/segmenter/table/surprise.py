"""The score of surprise of a row, see `kineseg_core.segmenter.surprise`, as kernels."""

from __future__ import annotations

import math

from kineseg_core.kernels import kernel
from kineseg_core.segmenter.surprise import LEAST_SURPRISE, NORMAL
from kineseg_core.segmenter.table.quantile import running_median

MOVING, STANDING = 0, 1


@kernel(nogil=True)
def score_surprise(counters, kept, surprise, scale):  # type: ignore[no-untyped-def]
    """Takes the surprise of the next frame.

    Args:
        counters: Of the row.
        kept: ``(4, S)`` log surprise and its deviation, moving and standing.
        surprise: Of the frame.
        scale: See `SurpriseScale`.
    """
    counters.surprise_count += 1
    if counters.surprise_count <= scale.warm_up:  # the recurrent state has hardly seen anything yet
        return
    level = math.log(max(surprise, LEAST_SURPRISE))
    counters.surprise = _score(counters, MOVING, level, scale)
    if counters.still:
        counters.surprise = min(counters.surprise, _score(counters, STANDING, level, scale))
    baseline = STANDING if counters.still else MOVING
    levels, deviations = kept[2 * baseline], kept[2 * baseline + 1]
    if counters.surprise_count % scale.kept == 0:
        at = counters.baseline_seen[baseline] % len(levels)
        deviations[at] = abs(level - counters.baselines[baseline, 0])
        levels[at] = level
        counters.baseline_seen[baseline] += 1
    if counters.surprise_count % scale.refresh == 0:
        seen = counters.baseline_seen[baseline]
        known = max(scale.prior, min(seen, len(levels)))
        counters.baselines[baseline, 0] = running_median(levels[:known])
        counters.baselines[baseline, 1] = running_median(deviations[:known])


@kernel(inlined=True)
def _score(counters, baseline, level, scale):  # type: ignore[no-untyped-def]
    """Robust standard deviations above the median."""
    median, deviation = counters.baselines[baseline, 0], counters.baselines[baseline, 1]
    return (level - median) / max(NORMAL * deviation, scale.least)
