"""Pure, picklable online algorithms: boundaries, labels and anomalies of one stream."""

from kineseg_service.segmenter.boundaries import KernelBoundaries
from kineseg_service.segmenter.clusterer import PrototypeClusterer
from kineseg_service.segmenter.decisions import AnomalyStart, Decision, SegmentEnd, SegmentStart
from kineseg_service.segmenter.segmenter import Segmenter
from kineseg_service.segmenter.settings import SegmenterSettings

__all__ = [
    "AnomalyStart",
    "Decision",
    "KernelBoundaries",
    "PrototypeClusterer",
    "SegmentEnd",
    "SegmentStart",
    "Segmenter",
    "SegmenterSettings",
]
