"""Any River clusterer as the one that gives labels: ids of our own over cluster numbers that come and go."""

from __future__ import annotations

import copy
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kineseg_core.segmenter.labels.point import SegmentPoint

Array = NDArray[np.float64]

_MOST_MINTED = 16  # labels that may be minted and not yet used
_MOST_REPEATS = 30  # a long segment counts no more than that many points, so that its cost is bounded


class RiverClusterer(Protocol):
    """The part of River's `base.Clusterer` that is used."""

    def learn_one(self, x: dict[int, float]) -> None:
        """Takes a point in."""

    def predict_one(self, x: dict[int, float]) -> int:
        """Number of the cluster that a point belongs to."""


class RiverLabeller:
    """Gives labels by a River clusterer.

    Points are handed over less the first one and in units of the stream's scale, so that the clusterer's own settings
    are in those units and centres drawn around 0 lie among the points; and once for every `blocks_per_point` blocks of
    the segment: for a method that counts points a long segment is more.

    River's cluster numbers are no labels: they are dealt out anew at every clustering or used again. So each label has
    an anchor, the mean of its points; after every point the clusterer is asked where the anchors are now. The cluster
    of an anchor has its label; the anchors that share a cluster have become one action, and their oldest label remains.

    The clusterer is always asked on a copy, because some change when they are asked.

    Args:
        model: A fresh River clusterer.
        max_labels: How many labels are remembered; the one seen longest ago is forgotten first.
        blocks_per_point: How many blocks make one point.
    """

    def __init__(self, model: RiverClusterer, max_labels: int = 64, blocks_per_point: float = 10.0) -> None:
        self.length_scale = 1.0
        self.merged: tuple[tuple[int, int], ...] = ()
        self._model = model
        self._max_labels, self._blocks_per_point = max_labels, blocks_per_point
        self._origin: Array | None = None
        self._anchors: dict[int, tuple[Array, float]] = {}  # label: mean and weight, the one seen longest ago first
        self._next_label = 0
        self._minted: tuple[int, ...] = ()  # minted and not used, the last ones

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels that are remembered, oldest first."""
        return tuple(sorted(self._anchors))

    def mint(self) -> int:
        """A label greater than any given before; see `Labeller`."""
        label = self._new_label()
        self._minted = (*self._minted, label)[-_MOST_MINTED:]
        return label

    def nearest(self, point: SegmentPoint, but_not: int | None = None) -> tuple[int | None, float]:
        """Label whose anchor shares a cluster with `point`, None if there is none; and 1 or 0, no odds."""
        if not self._anchors:
            return None, 0.0
        model = self._copy()
        cluster = model.predict_one(self._features(point.mean))
        at = {label: model.predict_one(self._features(anchor)) for label, (anchor, _) in self._anchors.items()}
        sharing = (label for label, number in at.items() if number == cluster and label != but_not)
        label = min(sharing, default=None)
        return label, float(label is not None)

    def learn(self, point: SegmentPoint, new_label: int | None = None) -> tuple[int, float]:
        """Takes `point` in and returns its label; see `Labeller`."""
        if self._origin is None:
            self._origin = point.mean.copy()
        for _ in range(int(np.clip(round(point.length / self._blocks_per_point), 1, _MOST_REPEATS))):
            self._model.learn_one(self._features(point.mean))
        self._merge_anchors()
        label, probability = self.nearest(point)
        if label is None:
            label = new_label if new_label is not None and new_label in self._minted else self._new_label()
            self._minted = tuple(other for other in self._minted if other != label)
        self._remember(label, point.mean, float(point.length))
        return label, probability

    def _new_label(self) -> int:
        self._next_label += 1
        return self._next_label - 1

    def _merge_anchors(self) -> None:
        model = self._copy()
        owners: dict[int, int] = {}
        merged = []
        for label in sorted(self._anchors):
            into = owners.setdefault(model.predict_one(self._features(self._anchors[label][0])), label)
            if into != label:
                merged.append((label, into))
                self._remember(into, *self._anchors.pop(label))
        self.merged = tuple(merged)

    def _remember(self, label: int, point: Array, weight: float) -> None:
        mean, total = self._anchors.pop(label, (point, 0.0))
        total += weight
        self._anchors[label] = (mean + (point - mean) * (weight / total if total else 0.0), total)
        while len(self._anchors) > self._max_labels:
            del self._anchors[next(iter(self._anchors))]

    def _features(self, point: Array) -> dict[int, float]:
        assert self._origin is not None  # no label has been given before the first point
        return dict(enumerate(((point - self._origin) / self.length_scale).tolist()))

    def _copy(self) -> RiverClusterer:
        return copy.deepcopy(self._model)
