"""The kinds of anomaly: what went wrong in capture, what is unusual in what is done, and what rules say."""

from __future__ import annotations

import enum

from kineseg_core.kept.declared import record


@record
class AnomalyClass(enum.Enum):
    """What an anomaly is about."""

    FAULT = "fault"
    """The source: its values cannot be trusted."""
    BEHAVIOUR = "behaviour"
    """What is done: another action, length, order or cycle than usual."""
    RULE = "rule"
    """A rule that was given for the stream."""


@record
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
    NEW_ACTION = "new_action"
    LONG_ACTION = "long_action"
    SHORT_ACTION = "short_action"
    UNUSUAL_ORDER = "unusual_order"
    IRREGULAR_CYCLE = "irregular_cycle"
    ONE_SIDED_CYCLE = "one_sided_cycle"

    @property
    def anomaly_class(self) -> AnomalyClass:
        """What it is about."""
        if self is AnomalyKind.RULE:
            return AnomalyClass.RULE
        return AnomalyClass.BEHAVIOUR if self in _OF_BEHAVIOUR else AnomalyClass.FAULT


_OF_BEHAVIOUR = frozenset(
    {
        AnomalyKind.NEW_ACTION,
        AnomalyKind.LONG_ACTION,
        AnomalyKind.SHORT_ACTION,
        AnomalyKind.UNUSUAL_ORDER,
        AnomalyKind.IRREGULAR_CYCLE,
        AnomalyKind.ONE_SIDED_CYCLE,
    }
)
