"""Pure, picklable online algorithms: boundaries and labels of one stream."""

from kineseg_core.segmenter.clusterer import PrototypeClusterer
from kineseg_core.segmenter.decisions import (
    Decision,
    LabelsMerged,
    SegmentEnd,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from kineseg_core.segmenter.plan import SegmenterPlan
from kineseg_core.segmenter.segmenter import Segmenter
from kineseg_core.segmenter.settings import SegmenterSettings

__all__ = [
    "Decision",
    "LabelsMerged",
    "PrototypeClusterer",
    "SegmentEnd",
    "SegmentRetract",
    "SegmentStart",
    "SegmentUpdate",
    "Segmenter",
    "SegmenterPlan",
    "SegmenterSettings",
]
