"""The kinds of anomaly: what went wrong in capture, and what rules say."""

from __future__ import annotations

import enum


class AnomalyKind(enum.Enum):
    """What is wrong."""

    GAP = "gap"
    OCCLUDED = "occluded"
    STALLED = "stalled"
    FROZEN = "frozen"
    LOOPED = "looped"
    UNIT = "unit"
    SPIKE = "spike"
    JITTER = "jitter"
    DRIFT = "drift"
    LEVEL = "level"
    GAIN = "gain"
    SWAPPED = "swapped"
    SCALE = "scale"
    AXES = "axes"
    TREMOR = "tremor"
    LATE = "late"
    UNUSUAL = "unusual"
    RULE = "rule"
