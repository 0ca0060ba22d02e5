"""Anomalies of one stream, found on what its source sends: exact rules, and detectors under a budget of alarms.

``AnomalyMonitor`` takes frames and gives events. What a frame passes through, in this order: `rules` (what no working
source does), values and their envelopes, tails (how rare is it), the `tracker` (one anomaly for one cause).
"""

from kineseg_core.anomalies.budget import AnomalyBudget
from kineseg_core.anomalies.events import AnomalyEvent, Cleared, Raised, Updated
from kineseg_core.anomalies.kinds import AnomalyClass, AnomalyKind
from kineseg_core.anomalies.monitor import AnomalyMonitor, push_many
from kineseg_core.anomalies.source import WatchedSource
from kineseg_core.anomalies.warm_up import warm_up

__all__ = [
    "AnomalyBudget",
    "AnomalyClass",
    "AnomalyEvent",
    "AnomalyKind",
    "AnomalyMonitor",
    "Cleared",
    "Raised",
    "Updated",
    "WatchedSource",
    "push_many",
    "warm_up",
]
