"""Label smoothness: whether the neighbours in a dataset graph share their label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kineseg_training.errors import DataError

Array = NDArray[np.float64]


def label_smoothness(weights: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Normalised Laplacian quadratic form of the labels as signals on a graph; small where neighbours share labels.

    With degrees D, ``L = I - D^-1/2 W D^-1/2`` and one signal a label, ``X = D^1/2 Y`` for one-hot Y, it is
    ``trace(X' L X) / trace(X' X)``. The root of the degrees is what the normalised Laplacian calls constant, so that
    only edges between labels count; worked out, it is the share of the weight of all edges that joins different
    labels. It lies between 0 (every neighbour shares the label) and 1, whatever the number of nodes, labels and
    neighbours and the scale of the weights. For labels dealt out at random see `shuffled_smoothness`.

    Args:
        weights: ``(N, N)``, symmetric, not negative, zero on the diagonal.
        labels: ``(N,)``.

    Raises:
        DataError: Fewer than two different labels, shapes that do not fit, weights that make no graph, or no edges.
    """
    w, y = _checked(weights, labels)
    degrees = w.sum(axis=1)
    if not degrees.any():
        raise DataError("the graph has no edges; is k too small, or are all distances zero?")
    _, which = np.unique(y, return_inverse=True)
    signals = np.sqrt(degrees)[:, None] * np.eye(which.max() + 1)[which]
    root = np.sqrt(np.where(degrees > 0.0, degrees, 1.0))
    passed_on = (w / root[:, None] / root[None, :]) @ signals
    return float(max(0.0, (signals * (signals - passed_on)).sum() / (signals * signals).sum()))


def shuffled_smoothness(labels: NDArray[np.integer]) -> float:
    """What `label_smoothness` is on average over all ways to deal the same labels out: no layer sees anything.

    Every edge then joins two nodes drawn at random, so that it is the share of pairs whose labels differ, on any graph.

    Raises:
        DataError: Fewer than two different labels.
    """
    y = _labels(labels)
    _, counts = np.unique(y, return_counts=True)
    return float(1.0 - (counts * (counts - 1)).sum() / (len(y) * (len(y) - 1)))


def _checked(weights: NDArray[np.floating], labels: NDArray[np.integer]) -> tuple[Array, NDArray[np.integer]]:
    y = _labels(labels)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (len(y), len(y)):
        raise DataError(f"{len(y)} labels need weights of shape ({len(y)}, {len(y)}), got {w.shape}")
    if not np.isfinite(w).all() or (w < 0.0).any() or not np.allclose(w, w.T) or np.diag(w).any():
        raise DataError("weights must be finite, not negative, symmetric, and zero on the diagonal")
    return w, y


def _labels(labels: NDArray[np.integer]) -> NDArray[np.integer]:
    y = np.asarray(labels)
    if y.ndim != 1:
        raise DataError(f"labels must be one for each sequence, got shape {y.shape}")
    if len(np.unique(y)) < 2:
        raise DataError("fewer than two different labels: nothing can be said about whether neighbours share theirs")
    return y
