"""How well states gather by action: with labels and, for early stopping, without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score
from sklearn.neighbors import KNeighborsClassifier

from kineseg_training.errors import DataError

# k-means is begun so often, at other places.
_STARTS = 4


@dataclass(frozen=True)
class Separation:
    """How well points gather by label.

    Attributes:
        silhouette: -1 to 1; how much nearer a point is to its own cluster than to the next one. More is better.
        davies_bouldin: Spread of clusters against the distance between them. Less is better.
        ari_kmeans: Adjusted Rand index, 1 for equal, 0 for chance, of k-means clusters with the labels; k is the
            number of labels.
        ari_agglomerative: The same of agglomerative clusters (average linkage, cosine distance from the mean).
    """

    silhouette: float
    davies_bouldin: float
    ari_kmeans: float
    ari_agglomerative: float


def separation(points: NDArray[np.floating], labels: NDArray[np.integer], seed: int = 0) -> Separation:
    """How well ``(N, F)`` points gather by their labels ``(N,)``.

    Raises:
        DataError: One label only, or no label that two points share.
    """
    count = checked_labels(points, labels)
    flat = np.asarray(points, dtype=np.float64)
    return Separation(
        silhouette(flat, labels),
        float(davies_bouldin_score(flat, labels)),
        float(adjusted_rand_score(labels, k_means(flat, count, seed))),
        float(adjusted_rand_score(labels, agglomerated(flat, count))),
    )


def silhouette(points: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean silhouette of ``(N, F)`` points under labels ``(N,)``; raises as `separation`."""
    checked_labels(points, labels)
    return float(silhouette_score(points, labels))


def recognised(
    known: NDArray[np.floating],
    known_labels: NDArray[np.integer],
    points: NDArray[np.floating],
    labels: NDArray[np.integer],
) -> float:
    """Share of points ``(N, F)`` whose nearest among the `known` ``(M, F)`` has their label, mean over the labels.

    Unlike what `separation` tells of points that come from few takes, this is about the actions and not the takes,
    where `known` and `points` are from different ones.
    """
    nearest = KNeighborsClassifier(1).fit(known, known_labels).predict(points)
    return float(np.mean([np.mean(nearest[labels == label] == label) for label in np.unique(labels)]))


def k_means(points: NDArray[np.floating], count: int, seed: int) -> NDArray[np.int64]:
    """``(N,)``: cluster of each of ``(N, F)`` points."""
    found = KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(np.asarray(points, dtype=np.float64))
    return np.asarray(found, dtype=np.int64)


def agglomerated(points: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """``(N,)``: cluster of each of ``(N, F)`` points, by the angle between them as seen from their mean."""
    centred = np.asarray(points, dtype=np.float64) - np.mean(points, axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    centred = np.where(length > 0.0, centred, 1.0)  # a point at the mean has no direction; any will do
    found = AgglomerativeClustering(count, metric="cosine", linkage="average").fit_predict(centred)
    return np.asarray(found, dtype=np.int64)


def checked_labels(points: NDArray[np.floating], labels: NDArray[np.integer]) -> int:
    """How many labels there are.

    Raises:
        DataError: One only, or no label that two points share, or not one label a point.
    """
    if len(points) != len(labels):
        raise DataError(f"{len(labels)} labels for {len(points)} points")
    count = len(np.unique(labels))
    if count < 2:
        raise DataError(f"{count} action(s): how well states gather by action can be told of two at least; name more")
    if count >= len(labels):
        raise DataError(f"{count} actions with one state each: take more windows of each")
    return count
