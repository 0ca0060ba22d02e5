"""What gives segments their labels: our own clusterer, or one of River's for comparison."""

from kineseg_core.segmenter.labels.factory import CLUSTERERS, make_labeller
from kineseg_core.segmenter.labels.labeller import Labeller
from kineseg_core.segmenter.labels.point import SegmentPoint, segment_point
from kineseg_core.segmenter.labels.river_labeller import RiverLabeller
from kineseg_core.segmenter.labels.segment_labeller import SegmentLabeller

__all__ = [
    "CLUSTERERS", "Labeller", "RiverLabeller", "SegmentLabeller", "SegmentPoint", "make_labeller", "segment_point",
]  # fmt: skip
