"""What gives segments their labels: our own clusterer, or one of River's for comparison."""

from kineseg_service.segmenter.labels.factory import CLUSTERERS, make_labeller
from kineseg_service.segmenter.labels.labeller import Labeller
from kineseg_service.segmenter.labels.point import segment_point
from kineseg_service.segmenter.labels.river_labeller import RiverLabeller

__all__ = ["CLUSTERERS", "Labeller", "RiverLabeller", "make_labeller", "segment_point"]
