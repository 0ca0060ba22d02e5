"""The kinds of anomaly: what went wrong in capture (faults), and what the one watched did unusually (behaviour)."""

from __future__ import annotations

import enum


class AnomalyClass(enum.StrEnum):
    """Whom an anomaly is for: who looks after the source, or who watches the one that moves."""

    FAULT = "fault"
    BEHAVIOUR = "behaviour"


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
    TELEPORT = "teleport"
    SWAPPED = "swapped"
    BONE_LENGTH = "bone_length"
    SCALE = "scale"
    AXES = "axes"
    TREMOR = "tremor"
    SLIP = "slip"
    LATE = "late"
    UNUSUAL = "unusual"
    NOVEL_ACTION = "novel_action"
    DURATION = "duration"
    ORDER = "order"
    ONE_SIDED = "one_sided"

    @property
    def kind_class(self) -> AnomalyClass:
        """Whether it is a fault of capture or behaviour of the one watched."""
        return AnomalyClass.BEHAVIOUR if self in _BEHAVIOUR else AnomalyClass.FAULT


_BEHAVIOUR = frozenset({AnomalyKind.NOVEL_ACTION, AnomalyKind.DURATION, AnomalyKind.ORDER, AnomalyKind.ONE_SIDED})
