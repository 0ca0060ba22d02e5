"""Volume under the surface of precision and recall: an event has soft edges, of every width up to some seconds.

J. Paparrizos, P. Boniol, T. Palpanas, R. S. Tsay, A. Elmore and M. J. Franklin, "Volume Under the Surface: A New
Accuracy Evaluation Measure for Time-Series Anomaly Detection", PVLDB 15(11), 2022. Written anew, since their package
needs TensorFlow and tsfresh.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_THRESHOLDS = 250


def vus_pr(scores: Array, inside: Flags, widths: NDArray[np.int64]) -> float:
    """Mean over widths of `range_auc_pr`.

    Args:
        scores: ``(T,)``, higher is worse.
        inside: ``(T,)`` which samples lie in an event.
        widths: In samples, of the soft edges.
    """
    return float(np.mean([range_auc_pr(scores, inside, int(width)) for width in widths]))


def range_auc_pr(scores: Array, inside: Flags, width: int) -> float:
    """Area under precision and recall of samples whose events reach ``width / 2`` samples further, ever less.

    Recall is that of samples, half by the hard and half by the soft labels, times the share of events that are touched.
    """
    soft = soft_labels(inside, width)
    events = _runs(soft > 0.0)
    positive = (inside.sum() + soft.sum()) / 2.0
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    recalls, precisions = [0.0], [1.0]
    for at in np.unique(np.linspace(0, len(scores) - 1, _THRESHOLDS).astype(np.int64)):
        predicted = scores >= ranked[at]
        right = float((soft * predicted).sum())
        touched = np.mean([predicted[start:stop].any() for start, stop in events])
        recalls.append(float(touched) * min(right / positive, 1.0))
        precisions.append(right / float(predicted.sum()))
    widths = np.diff(recalls)
    heights = np.array(precisions[1:]) + np.array(precisions[:-1])
    return float((widths * heights).sum() / 2.0)


def soft_labels(inside: Flags, width: int) -> Array:
    """``(T,)`` 1 in an event, and to either side of it the square root of one less the distance over `width`."""
    labels = inside.astype(np.float64)
    for start, stop in _runs(inside):
        after = np.arange(stop - 1, min(stop - 1 + width // 2, len(labels)))
        before = np.arange(max(start - width // 2, 0), start)
        if width:
            labels[after] += np.sqrt(1.0 - (after - (stop - 1)) / width)
            labels[before] += np.sqrt(1.0 - (start - before) / width)
    return np.minimum(labels, 1.0)


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """First and one past the last index of every run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
