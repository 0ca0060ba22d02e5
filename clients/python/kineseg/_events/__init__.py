"""What a stream answers: typed, immutable events, and their flat form for JSON."""

from kineseg._events.anomalies import AnomalyCleared, AnomalyRaised, AnomalyUpdated
from kineseg._events.anomaly_kinds import AnomalyClass, AnomalyKind
from kineseg._events.event import ABSENT_WHEN_EMPTY, Event, EventKind
from kineseg._events.from_dict import EVENT_TYPES, event_from_dict
from kineseg._events.missing import Gap, MissingValues
from kineseg._events.results import FrameResult, Reconnected, WatchedEvent
from kineseg._events.segments import LabelsMerged, SegmentClosed, SegmentRetracted, SegmentStarted, SegmentUpdated
from kineseg._events.summary import Summary

__all__ = [
    "ABSENT_WHEN_EMPTY",
    "EVENT_TYPES",
    "AnomalyClass",
    "AnomalyCleared",
    "AnomalyKind",
    "AnomalyRaised",
    "AnomalyUpdated",
    "Event",
    "EventKind",
    "FrameResult",
    "Gap",
    "LabelsMerged",
    "MissingValues",
    "Reconnected",
    "SegmentClosed",
    "SegmentRetracted",
    "SegmentStarted",
    "SegmentUpdated",
    "Summary",
    "WatchedEvent",
    "event_from_dict",
]
