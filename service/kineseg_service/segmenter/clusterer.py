"""Which segments are the same action: an incremental clusterer of prototypes whose labels are never used twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

Array = NDArray[np.float64]


class PrototypeClusterer(base.Clusterer):
    """Incremental clustering with an unknown number of clusters.

    A point joins the nearest prototype if it lies within `radius`, else it founds a prototype with a label that has
    never been given before. A prototype is the weighted mean of its points. When there are more than `max_prototypes`,
    the one that was seen longest ago is forgotten, and its label with it.

    Parameters
    ----------
    radius
        Largest distance from a prototype at which a point still joins it, in units of `unit`.
    max_prototypes
        How many prototypes are remembered.

    Attributes
    ----------
    unit
        The length that `radius` is measured in; 1 until set by whoever knows the scale of the data.
    labels
        Labels of the remembered prototypes.

    References
    ----------
    [^1]: Kulis, B. and Jordan, M. I. (2012). Revisiting k-means: new algorithms via Bayesian nonparametrics. ICML.

    Examples
    --------
    >>> from kineseg_service.segmenter import PrototypeClusterer
    >>> clusterer = PrototypeClusterer(radius=1.0)
    >>> for value in (0.0, 0.2, 5.0, 0.1):
    ...     x = {"a": value}
    ...     print(clusterer.predict_one(x), end=" ")
    ...     clusterer.learn_one(x)
    0 0 1 0

    """

    def __init__(self, radius: float = 1.0, max_prototypes: int = 256) -> None:
        self.radius = radius
        self.max_prototypes = max_prototypes
        self.unit = 1.0
        self._features: dict[Any, int] = {}
        self._means: Array = np.zeros((0, 0))
        self._weights: Array = np.zeros(0)
        self._errors: Array = np.zeros(0)  # squared standard errors of the means
        self._labels: list[int] = []
        self._last_seen: list[int] = []
        self._learned = 0
        self._next_label = 0

    @property
    def labels(self) -> tuple[int, ...]:
        """Labels of the remembered prototypes, oldest first."""
        return tuple(self._labels)

    def learn_one(self, x: dict[Any, float], w: float = 1.0) -> None:
        """Moves the nearest prototype towards `x`, or founds one there."""
        for feature in x:
            self._features.setdefault(feature, len(self._features))
        self.learn(self._vector(x), w)

    def predict_one(self, x: dict[Any, float]) -> int:
        """The label that `learn_one` would give to `x`."""
        label = self.nearest(self._vector(x))
        return self._next_label if label is None else label

    def nearest(self, point: Array, error: float = 0.0) -> int | None:
        """Label of the nearest prototype within the radius of `point` (dim,), or None.

        If the point is an estimate, `error` is its squared standard error. What the errors of point and prototype
        explain of their squared distance does not count.
        """
        row = self._nearest_row(point, error)
        return None if row is None else self._labels[row]

    def mint(self) -> int:
        """A label that no prototype has had or will have, unless `learn` is given it."""
        self._next_label += 1
        return self._next_label - 1

    def learn(self, point: Array, weight: float = 1.0, fresh_label: int | None = None, error: float = 0.0) -> int:
        """Takes `point` (dim,), of squared standard error `error`, in and returns its label.

        If it founds a prototype, that gets `fresh_label`, which must come from `mint` and be used once, or a new label.
        """
        self._learned += 1
        row = self._nearest_row(point, error)
        if row is None:
            return self._found(point, weight, self.mint() if fresh_label is None else fresh_label, error)
        self._weights[row] += weight
        share = weight / self._weights[row]
        self._means[row, : len(point)] += (point - self._means[row, : len(point)]) * share
        self._errors[row] = (1.0 - share) ** 2 * self._errors[row] + share**2 * error
        self._last_seen[row] = self._learned
        return self._labels[row]

    def _found(self, point: Array, weight: float, label: int, error: float) -> int:
        if len(self._labels) >= self.max_prototypes:
            oldest = int(np.argmin(self._last_seen))
            self._means = np.delete(self._means, oldest, axis=0)
            self._weights = np.delete(self._weights, oldest)
            self._errors = np.delete(self._errors, oldest)
            del self._labels[oldest], self._last_seen[oldest]
        self._widen(len(point))
        self._means = np.vstack([self._means, np.pad(point, (0, self._means.shape[1] - len(point)))])
        self._weights = np.append(self._weights, weight)
        self._errors = np.append(self._errors, error)
        self._labels.append(label)
        self._last_seen.append(self._learned)
        return label

    def _nearest_row(self, point: Array, error: float) -> int | None:
        if not self._labels:
            return None
        self._widen(len(point))
        squared = ((self._means[:, : len(point)] - point) ** 2).sum(axis=1)
        squared += (self._means[:, len(point) :] ** 2).sum(axis=1)
        squared -= self._errors + error
        row = int(squared.argmin())
        return row if squared[row] < (self.radius * self.unit) ** 2 else None

    def _widen(self, dim: int) -> None:
        missing = dim - self._means.shape[1]
        if missing > 0:
            self._means = np.pad(self._means, ((0, 0), (0, missing)))

    def _vector(self, x: dict[Any, float]) -> Array:
        # Features come and go in River: one that is absent counts as 0, one never learned is not looked at.
        point = np.zeros(len(self._features))
        for feature, value in x.items():
            if feature in self._features:
                point[self._features[feature]] = value
        return point
