"""How well found labels and cuts agree with true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score


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
