"""Labels for methods that give boundaries only: the nearest mean pose among those seen, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evaluation.quality.peers.signal import standardised
from evaluation.quality.stream import AnnotatedStream

RATE = 10.0
SAME = 0.15
"""Mean squared difference per standardised channel below which two segments are one action."""


def nearest_centroid(stream: AnnotatedStream, boundaries: Sequence[int]) -> NDArray[np.int64] | None:
    """``(T,)`` a label for every frame, segment after segment as they end; None where actions have no names.

    A segment's mean pose joins the nearest centroid within `SAME`, which moves to the mean of all that it was
    given, weighted by duration; otherwise it founds one.
    """
    if stream.labels is None:
        return None
    pose = standardised(stream, RATE)
    centroids: list[NDArray[np.float64]] = []
    weights: list[int] = []
    labels = np.empty(stream.n_frames, dtype=np.int64)
    edges = [0, *sorted(set(boundaries)), stream.n_frames]
    for start, end in pairwise(edges):
        first = min(round(start * RATE / stream.rate), len(pose) - 1)
        rows = pose[first : max(first + 1, round(end * RATE / stream.rate))]
        mean = rows.mean(axis=0)
        distances = [float(np.mean((mean - centroid) ** 2)) for centroid in centroids]
        if distances and min(distances) < SAME:
            label = int(np.argmin(distances))
            share = len(rows) / (weights[label] + len(rows))
            centroids[label] = centroids[label] + share * (mean - centroids[label])
            weights[label] += len(rows)
        else:
            label = len(centroids)
            centroids.append(mean)
            weights.append(len(rows))
        labels[start:end] = label
    return labels
