"""Chooses what gives labels, by name."""

from __future__ import annotations

import math

from kineseg_core.segmenter.labels.labeller import Labeller
from kineseg_core.segmenter.labels.repetition import Kind
from kineseg_core.segmenter.labels.river_labeller import RiverClusterer, RiverLabeller
from kineseg_core.segmenter.labels.segment_labeller import SegmentLabeller

CLUSTERERS = ("prototypes", "dbstream", "denstream", "clustream", "kmeans")


def make_labeller(name: str, *, same_action: float, max_labels: int, dim: int, kind: Kind = "actions") -> Labeller:
    """What is called `name`, fresh.

    River's clusterers get points in units of the stream's scale, one for each second of a segment. DBSTREAM and
    DenStream need to be given a length; CluStream and KMeans a number of actions, which no one knows beforehand.

    Args:
        name: One of `CLUSTERERS`.
        same_action: Squared distance below which two segments are one action, in squared units.
        max_labels: How many labels are remembered.
        dim: Dimensions of the points.
        kind: What the segments are of; only our own looks at it.

    Raises:
        ValueError: There is no such clusterer.
    """
    if name == "prototypes":
        return SegmentLabeller(same_action, max_labels, kind)
    return RiverLabeller(_river(name, dim), max_labels)


def _river(name: str, dim: int) -> RiverClusterer:
    from river import cluster  # what few streams ask for is imported by the first that does

    near_first = 0.3 / math.sqrt(dim)  # centres begin this far from the first point, in each feature
    match name:
        case "dbstream":
            return cluster.DBSTREAM(clustering_threshold=0.5, fading_factor=1e-3, cleanup_interval=60)
        case "denstream":
            return cluster.DenStream(epsilon=0.05, mu=2, beta=0.75, decaying_factor=1e-3, n_samples_init=1)
        case "clustream":
            return cluster.CluStream(
                n_macro_clusters=16, max_micro_clusters=10, time_gap=1, time_window=600, seed=0, sigma=near_first
            )
        case "kmeans":
            return cluster.KMeans(n_clusters=16, halflife=0.6, sigma=near_first, seed=0)
    raise ValueError(f"no clusterer {name!r}; there are: {', '.join(CLUSTERERS)}")
