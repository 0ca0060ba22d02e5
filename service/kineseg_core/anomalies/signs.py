"""Signs that something is wrong: what rules and detectors say of a frame, before alarms are made of it."""

from __future__ import annotations

import enum
from typing import NamedTuple

from kineseg_core.anomalies.kinds import AnomalyKind
from kineseg_core.kept.declared import record

RULE_SEVERITY = 9.0
"""Nats of what a rule finds: no working source does it in a year."""


@record
class DetectorClass(enum.Enum):
    """Detectors that respond to the same things."""

    JUMP = "jump"
    SHAKE = "shake"
    SHAPE = "shape"
    LEVEL = "level"
    PAST = "past"


@record
class Sign(NamedTuple):
    """A rule that holds, or a class of detectors that is beyond the usual.

    Attributes:
        of: The rule's kind, or the class.
        units: Indices of the units; empty: the whole source.
        severity: Nats: once in e^s hours.
        since_s: Since when, capture time.
    """

    of: AnomalyKind | DetectorClass
    units: tuple[int, ...]
    severity: float
    since_s: float

    @property
    def exact(self) -> bool:
        """Whether it is a rule's."""
        return isinstance(self.of, AnomalyKind)
