"""Our own labels: prototypes of segments, and how probable it is that a segment repeats one of them."""

from __future__ import annotations

import math

from kineseg_core.kept.declared import keeps
from kineseg_core.segmenter.clusterer import PrototypeClusterer
from kineseg_core.segmenter.labels.neighbours import Neighbours
from kineseg_core.segmenter.labels.point import SegmentPoint
from kineseg_core.segmenter.labels.repetition import Kind, Known, features, probabilities, weights_of


@keeps("_clusterer _neighbours", fixed="_kind")
class SegmentLabeller:
    """Gives labels by a `PrototypeClusterer`, and with each the probability of a repetition.

    The test of the clusterer decides; the odds do not. They say how much its answer can be relied on.

    Args:
        same_action: Squared distance up to which two segments may be one action, in squared units of `length_scale`.
        max_labels: How many labels are remembered.
        kind: What the segments are of.
    """

    def __init__(self, same_action: float, max_labels: int = 64, kind: Kind = "actions") -> None:
        self._clusterer = PrototypeClusterer(math.sqrt(same_action), max_labels)
        self._kind: Kind = kind
        self._neighbours = Neighbours()

    @property
    def length_scale(self) -> float:
        """The stream's length scale at present."""
        return self._clusterer.length_scale

    @length_scale.setter
    def length_scale(self, scale: float) -> None:
        self._clusterer.length_scale = scale

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that are remembered, in the order in which they were founded."""
        return self._clusterer.labels

    @property
    def merged(self) -> tuple[tuple[int, int], ...]:
        """Pairs (label, into) that the last segment learned has merged."""
        return self._clusterer.merged

    def mint(self) -> int:
        """A label greater than any before; see `Labeller`."""
        return self._clusterer.mint()

    def nearest(self, point: SegmentPoint, but_not: int | None = None) -> tuple[int | None, float]:
        """See `Labeller`."""
        of = self._clusterer
        label = of.nearest(point.mean, point.error)
        label = None if label == but_not else label
        known, labels = Known(of.means, of.errors, of.variances), of.labels
        if but_not in labels:
            others = [row for row, other in enumerate(labels) if other != but_not]
            known = Known(known.means[others], known.errors[others], known.variances[others])
            labels = tuple(labels[row] for row in others)
        if not labels:
            return None, 0.0
        unit = self.length_scale**2
        rows = features(point, known, unit, self._neighbours.usual_with(point.mean, unit))
        found = probabilities(weights_of(self._kind).log_odds(rows))
        return label, float(found.max() if label is None else found[labels.index(label)])

    def learn(self, point: SegmentPoint, new_label: int | None = None) -> tuple[int, float]:
        """See `Labeller`.

        Raises:
            ValueError: The point is not finite in single precision.
        """
        label, probability = self.nearest(point)
        mean, error, variance, weight = point.mean, point.error, point.variance, float(point.length)
        if label is None:
            label = self._clusterer.found(mean, weight, new_label, error, variance)
        else:
            label = self._clusterer.join(label, mean, weight, error, variance)
        self._neighbours.add(mean, self.length_scale**2)
        return label, probability
