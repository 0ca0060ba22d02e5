"""Clusters of states are the actions: how they are found, and how well found labels and cuts agree with true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score

from kineseg_training.errors import DataError

Linkage = Literal["single", "average"]
LINKAGES: tuple[Linkage, ...] = ("single", "average")

# All pairs of so many states are compared; of more, so many are taken evenly, and the others are like the nearest one
# in time.
_MOST = 4000
# The largest gap between two merges is looked for among the last so many.
_LAST_MERGES = 20


@dataclass(frozen=True, eq=False)
class Tree:
    """Which states were merged at what distance; from it come clusters for any number or distance.

    Attributes:
        merges: As SciPy's ``linkage`` gives them; none for a single state.
        taken: ``(K,)``: for each state, which leaf stands for it.
    """

    merges: NDArray[np.float64]
    taken: NDArray[np.int64]

    def into(self, clusters: int) -> NDArray[np.int64]:
        """``(K,)`` labels from 0: at most so many clusters. Only offline experiments are given their number."""
        if not len(self.merges):
            return np.zeros_like(self.taken)
        return np.asarray(fcluster(self.merges, clusters, "maxclust"), dtype=np.int64)[self.taken] - 1

    def within(self, distance: float) -> NDArray[np.int64]:
        """``(K,)`` labels from 0: clusters that are merged at no more than that distance."""
        if not len(self.merges):
            return np.zeros_like(self.taken)
        return np.asarray(fcluster(self.merges, distance, "distance"), dtype=np.int64)[self.taken] - 1

    def gap(self) -> float:
        """A distance in the middle of the largest gap between successive merges among the last ones.

        A way to choose a distance that asks for no labels.
        """
        heights = np.sort(self.merges[:, 2])[-_LAST_MERGES:]
        if len(heights) < 2:
            return 0.0
        widest = int(np.diff(heights).argmax())
        return float(heights[widest : widest + 2].mean())


def merge_tree(states: NDArray[np.floating], method: Linkage) -> Tree:
    """Merge the states ``(K, H)`` one after another, by cosine distance.

    Raises:
        DataError: There are none.
    """
    if not len(states):
        raise DataError("there are no decoded states to cluster; give a longer sequence or a higher threshold")
    leaves = np.unique(np.linspace(0, len(states) - 1, min(len(states), _MOST)).round().astype(np.int64))
    edges = (leaves[1:] + leaves[:-1]) / 2
    taken = np.searchsorted(edges, np.arange(len(states))).astype(np.int64)
    if len(leaves) == 1:
        return Tree(np.empty((0, 4)), taken)
    distances = pdist(np.asarray(states[leaves], dtype=np.float64), "cosine")
    # A state of length zero has no direction: it is at right angles to all.
    return Tree(linkage(np.clip(np.nan_to_num(distances, nan=1.0), 0.0, None), method), taken)


def segment_means(
    states: NDArray[np.floating], segment: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The mean state of each segment that has any, and for each state the row of its segment's mean.

    Args:
        states: ``(K, H)``.
        segment: ``(K,)``.

    Returns:
        ``(M, H)`` and ``(K,)``.
    """
    present, row = np.unique(segment, return_inverse=True)
    sums = np.zeros((len(present), states.shape[1]))
    np.add.at(sums, row, states)
    return sums / np.bincount(row)[:, None], row.astype(np.int64)


@dataclass(frozen=True)
class Scores:
    """Agreement of labels, each at most 1.

    Attributes:
        ari: Adjusted Rand index.
        ami: Adjusted mutual information.
        v_measure: Harmonic mean of homogeneity and completeness.
        mof: Share of frames that are right (mean over frames) under the best one-to-one naming of found labels.
    """

    ari: float
    ami: float
    v_measure: float
    mof: float


def score(true: NDArray[np.integer], found: NDArray[np.integer]) -> Scores:
    """Compare the labels of T frames, both ``(T,)``."""
    return Scores(
        float(adjusted_rand_score(true, found)),
        float(adjusted_mutual_info_score(true, found)),
        float(v_measure_score(true, found)),
        float((named(true, found) == true).mean()),
    )


def named(true: NDArray[np.integer], found: NDArray[np.integer]) -> NDArray[np.int64]:
    """Found labels renamed to true ones by the one-to-one naming that makes most frames right.

    Those without a partner become -1, -2 ...
    """
    trues, t = np.unique(true, return_inverse=True)
    founds, f = np.unique(found, return_inverse=True)
    overlap = np.zeros((len(founds), len(trues)), dtype=np.int64)
    np.add.at(overlap, (f, t), 1)
    names = -1 - np.arange(len(founds))
    for row, column in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
        if overlap[row, column]:
            names[row] = trues[column]
    return names[f]


@dataclass(frozen=True)
class CutScores:
    """Agreement of cuts within a tolerance, one to one.

    Attributes:
        precision: Share of the cuts found that are true ones; 1 where none was found.
        recall: Share of the true cuts that were found; 1 where there is none.
        f1: Their harmonic mean.
    """

    precision: float
    recall: float
    f1: float


def score_cuts(true: Sequence[int], found: Sequence[int], tolerance: float) -> CutScores:
    """Compare cuts; a true one is found if one lies within `tolerance` frames, which then counts for no other."""
    distance = np.abs(np.subtract.outer(np.array(true, dtype=float), np.array(found, dtype=float)))
    near = distance <= tolerance
    hits = int(near[linear_sum_assignment(near, maximize=True)].sum()) if near.size else 0
    precision = hits / len(found) if len(found) else 1.0
    recall = hits / len(true) if len(true) else 1.0
    return CutScores(precision, recall, 2 * hits / (len(found) + len(true)) if len(found) + len(true) else 1.0)
