"""Pure, picklable online algorithms: boundaries, labels and anomalies of one stream."""

from kineseg_service.segmenter.boundaries import KernelBoundaries
from kineseg_service.segmenter.clusterer import PrototypeClusterer
from kineseg_service.segmenter.decisions import (
    AnomalyStart,
    Decision,
    LabelsMerged,
    SegmentEnd,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from kineseg_service.segmenter.segmenter import Segmenter
from kineseg_service.segmenter.settings import SegmenterSettings

__all__ = [
    "AnomalyStart",
    "Decision",
    "KernelBoundaries",
    "LabelsMerged",
    "PrototypeClusterer",
    "SegmentEnd",
    "SegmentRetract",
    "SegmentStart",
    "SegmentUpdate",
    "Segmenter",
    "SegmenterSettings",
]
