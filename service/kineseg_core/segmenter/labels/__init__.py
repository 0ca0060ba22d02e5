"""What gives segments their labels: our own clusterer, or one of River's for comparison."""

from kineseg_core.segmenter.labels.factory import CLUSTERERS, make_labeller
from kineseg_core.segmenter.labels.labeller import Labeller
from kineseg_core.segmenter.labels.point import segment_point
from kineseg_core.segmenter.labels.river_labeller import RiverLabeller

__all__ = ["CLUSTERERS", "Labeller", "RiverLabeller", "make_labeller", "segment_point"]
