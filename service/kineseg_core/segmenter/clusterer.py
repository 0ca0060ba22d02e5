"""Which segments are the same action: an incremental clusterer of prototypes whose labels are never used twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from kineseg_core.kept.bounds import within
from kineseg_core.kept.declared import keeps

Array = NDArray[np.float64]
Means = NDArray[np.float32]
Integers = NDArray[np.int64]

_MOST_MINTED = 16  # labels that may be minted and not yet given to a prototype
_LARGEST = np.finfo(np.float32).max


@within(
    "len(_means) <= max_prototypes", "0 <= _learned", "0 <= _next_label", "0 <= _labels < _next_label",
    "len(_means) == len(_variances)", "len(_means) == len(_weights)", "len(_means) == len(_errors)",
    "len(_means) == len(_labels)", "len(_means) == len(_last_seen)",
    "0 <= _variances", "0 <= _weights", "0 <= _errors", "0 <= length_scale",
)  # fmt: skip
@keeps(
    "length_scale merged _features _means _variances _weights _errors _labels _last_seen _learned _next_label _minted",
    fixed="radius max_prototypes confidence max_weight",
    grows="_means _variances _weights _errors _labels _last_seen",
)
class PrototypeClusterer(base.Clusterer):
    """Incremental clustering with an unknown number of clusters, in bounded memory.

    A point joins the nearest prototype if they may be one: if their squared distance is at most ``radius`` squared, or
    is no more beyond that than ``confidence`` times the squared standard errors of the two explain. Else it founds a
    prototype with a label that has never been used. A prototype is the weighted mean of its points. Two things keep
    it within bounds:

    - *Merging.* When a point has moved a prototype to within ``radius`` of another, the two become one, which keeps the
      older label. Errors do not excuse any distance here, for a merger is not undone.
    - *Forgetting.* When there are more than ``max_prototypes``, the one that was seen longest ago is forgotten, and
      its label with it. And a prototype weighs at most ``max_weight``: it is the mean of about as much of its past
      and follows slow change.

    Parameters
    ----------
    radius
        Distance up to which two means are taken for the same, in units of `length_scale`.
    max_prototypes
        How many prototypes are remembered.
    confidence
        How many squared standard errors are allowed for on top. A mean of two independent directions is off by more
        than 3 of them in one case of twenty.
    max_weight
        How much weight a prototype gathers at most.

    Attributes
    ----------
    length_scale
        The length that `radius` is measured in; 1 until set by whoever knows the scale of the data.
    labels
        Labels of the remembered prototypes, in the order in which they were founded.
    merged
        Pairs (label, into) that the last point learned has merged, in order.

    References
    ----------
    [^1]: Kulis, B. and Jordan, M. I. (2012). Revisiting k-means: new algorithms via Bayesian nonparametrics. ICML.

    Examples
    --------
    >>> from kineseg_core.segmenter import PrototypeClusterer
    >>> clusterer = PrototypeClusterer(radius=1.0)
    >>> labels = []
    >>> for value in (0.0, 0.2, 5.0, 0.1):
    ...     labels.append(clusterer.predict_one({"a": value}))
    ...     clusterer.learn_one({"a": value})
    >>> labels
    [0, 0, 1, 0]

    """

    merged: tuple[tuple[int, int], ...]
    _features: dict[Any, int]
    _minted: tuple[int, ...]  # minted and not used, the last ones

    def __init__(
        self, radius: float = 1.0, max_prototypes: int = 64, confidence: float = 3.0, max_weight: float = 6000.0
    ) -> None:
        self.radius = radius
        self.max_prototypes = max_prototypes
        self.confidence = confidence
        self.max_weight = max_weight
        self.length_scale = 1.0
        self.merged = ()
        self._features = {}
        # One row a prototype, in the order in which they were founded.
        self._means: Means = np.zeros((0, 0), dtype=np.float32)
        self._variances: Means = np.zeros((0, 0), dtype=np.float32)
        self._weights: Array = np.zeros(0)
        self._errors: Array = np.zeros(0)  # squared standard errors of the means
        self._labels: Integers = np.zeros(0, dtype=np.int64)
        self._last_seen: Integers = np.zeros(0, dtype=np.int64)
        self._learned = 0
        self._next_label = 0
        self._minted = ()

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels of the remembered prototypes, in the order in which they were founded."""
        return tuple(self._labels.tolist())

    def learn_one(self, x: dict[Any, float], w: float = 1.0) -> None:
        """Moves the nearest prototype towards `x`, or founds one there; raises ValueError if it is not finite."""
        for feature in x:
            self._features.setdefault(feature, len(self._features))
        self.learn(self._vector(x), w)

    def predict_one(self, x: dict[Any, float]) -> int:
        """The label that `learn_one` would give to `x`, before any merger; changes nothing."""
        label = self.nearest(self._vector(x))
        return self._next_label if label is None else label

    def nearest(self, point: Array, error: float = 0.0) -> int | None:
        """Label of the prototype that `point` (dim,) would join, or None; changes nothing.

        If the point is an estimate, `error` is its squared standard error.
        """
        row = self._joins(point, error)
        return None if row is None else int(self._labels[row])

    def mint(self) -> int:
        """A label greater than any before, which no prototype will have unless `learn` is given it.

        If it is not used before 16 others are minted, it never will be.
        """
        label = self._new_label()
        self._minted = (*self._minted, label)[-_MOST_MINTED:]
        return label

    def learn(self, point: Array, weight: float = 1.0, new_label: int | None = None, error: float = 0.0) -> int:
        """Takes `point` (dim,), of squared standard error `error`, in and returns its label.

        If it founds a prototype, that gets `new_label`, or a new label where that is None or does not come from
        `mint` or has been used, even if what had it is merged or forgotten. `merged` then says what has become one.

        Raises ValueError if the point is not finite in single precision, or the weight is negative.
        """
        label = self.nearest(point, error)
        if label is None:
            return self.found(point, weight, new_label, error)
        return self.join(label, point, weight, error)

    def found(
        self,
        point: Array,
        weight: float = 1.0,
        new_label: int | None = None,
        error: float = 0.0,
        variance: Array | None = None,
    ) -> int:
        """Takes `point` in as a prototype of its own, however near others are; the rest is as `learn` has it.

        `variance` (D,) is that of what the point is the mean of; if it is given once it must be given always.
        """
        self._begin(point, weight)
        return self._found(point, weight, new_label, error, variance)

    def join(
        self,
        label: int,
        point: Array,
        weight: float = 1.0,
        error: float = 0.0,
        variance: Array | None = None,
    ) -> int:
        """Takes `point` in as one of the prototype of `label`, however far that is; the rest is as `found` has it."""
        row = self.labels.index(label)
        self._begin(point, weight)
        self._take_in(row, point, weight, error, variance)
        self._last_seen[row] = self._learned
        return int(self._labels[self._merge_around(row)])

    @property
    def means(self) -> Array:
        """``(K, D)`` of the prototypes, in the order of `labels`."""
        return self._means.astype(np.float64)

    @property
    def errors(self) -> Array:
        """``(K,)`` squared standard errors of the means."""
        return self._errors.copy()

    @property
    def variances(self) -> Array:
        """``(K, D)`` of what the points are means of, weighted like these; D is 0 if none were given."""
        return self._variances.astype(np.float64)

    def allowed(self, error: float = 0.0) -> Array:
        """``(K,)`` squared distance up to which a point of that squared standard error may be one of a prototype."""
        allowed: Array = (self.radius * self.length_scale) ** 2 + self.confidence * (self._errors + error)
        return allowed

    def _begin(self, point: Array, weight: float) -> None:
        if not (np.abs(point) <= _LARGEST).all():
            raise ValueError("a point to be clustered must be finite in single precision; clean the features first")
        if not weight >= 0.0:
            raise ValueError(f"the weight of a point is {weight}; expected 0 or more")
        self._learned += 1
        self.merged = ()

    def _new_label(self) -> int:
        self._next_label += 1
        return self._next_label - 1

    def _joins(self, point: Array, error: float) -> int | None:
        if not len(self._labels):
            return None
        squared = self._squared_distances(point)
        row = int((squared - self._errors).argmin())  # what chance alone makes of the distance comes off
        return row if squared[row] <= self.allowed(error)[row] else None

    def _found(
        self, point: Array, weight: float, new_label: int | None, error: float, variance: Array | None = None
    ) -> int:
        label = new_label if new_label is not None and new_label in self._minted else self._new_label()
        self._minted = tuple(other for other in self._minted if other != label)
        if len(self._labels) >= self.max_prototypes:
            self._remove(int(self._last_seen.argmin()))
        self._widen(len(point))
        mean = np.zeros((1, self._means.shape[1]), dtype=np.float32)
        mean[0, : len(point)] = point
        self._means = np.concatenate([self._means, mean])
        row = np.zeros((1, self._variances.shape[1]))
        if variance is not None:
            self._variances = _widened(self._variances, len(variance))
            row = variance[None]
        self._variances = np.concatenate([self._variances, _single(row)])
        self._weights = np.append(self._weights, min(weight, self.max_weight))
        self._errors = np.append(self._errors, error)
        self._labels = np.append(self._labels, label)
        self._last_seen = np.append(self._last_seen, self._learned)
        return label

    def _take_in(self, row: int, point: Array, weight: float, error: float, variance: Array | None = None) -> None:
        self._widen(len(point))
        total = float(self._weights[row]) + weight
        share = weight / total if total > 0.0 else 0.0
        mean = self._means[row].astype(np.float64)
        mean[: len(point)] += (point - mean[: len(point)]) * share
        self._means[row] = mean
        if variance is not None:
            usual = self._variances[row].astype(np.float64)
            self._variances[row] = _single(usual + (variance - usual) * share)
        self._errors[row] = (1.0 - share) ** 2 * self._errors[row] + share**2 * error
        self._weights[row] = min(total, self.max_weight)

    def _merge_around(self, row: int) -> int:
        """Merges the prototype of `row` with those that it has come close to; returns the row of what remains."""
        merged: list[tuple[int, int]] = []
        while True:
            squared = self._squared_distances(self._means[row].astype(np.float64))
            squared[row] = np.inf
            other = int(squared.argmin())
            if not squared[other] <= (self.radius * self.length_scale) ** 2:
                self.merged = tuple(merged)
                return row
            row, gone = sorted((row, other), key=lambda i: int(self._labels[i]))  # the older label remains
            merged.append((int(self._labels[gone]), int(self._labels[row])))
            self._take_in(
                row, self._means[gone].astype(np.float64), float(self._weights[gone]), float(self._errors[gone]),
                self._variances[gone].astype(np.float64),
            )  # fmt: skip
            self._last_seen[row] = self._learned
            self._remove(gone)
            row -= int(gone < row)

    def _remove(self, row: int) -> None:
        self._means = np.delete(self._means, row, axis=0)
        self._variances = np.delete(self._variances, row, axis=0)
        self._weights = np.delete(self._weights, row)
        self._errors = np.delete(self._errors, row)
        self._labels = np.delete(self._labels, row)
        self._last_seen = np.delete(self._last_seen, row)

    def _squared_distances(self, point: Array) -> Array:
        """From each prototype to `point` (dim,); what one of them lacks counts as 0."""
        means = self._means.astype(np.float64)
        shared = min(len(point), means.shape[1])
        squared: Array = np.square(means[:, :shared] - point[:shared]).sum(axis=1)
        if not shared == len(point) == means.shape[1]:
            squared += np.square(means[:, shared:]).sum(axis=1) + float(np.square(point[shared:]).sum())
        return squared

    def _widen(self, dim: int) -> None:
        self._means = _widened(self._means, dim)

    def _vector(self, x: dict[Any, float]) -> Array:
        # Features come and go in River: one that is absent counts as 0, one never learned is not looked at.
        point = np.zeros(len(self._features))
        for feature, value in x.items():
            if feature in self._features:
                point[self._features[feature]] = value
        return point


def _widened(rows: Means, dim: int) -> Means:
    """The same with so many columns, if it has not as many."""
    missing = dim - rows.shape[1]
    return np.pad(rows, ((0, 0), (0, missing))) if missing > 0 else rows


def _single(values: Array) -> Means:
    return np.minimum(values, _LARGEST).astype(np.float32)
