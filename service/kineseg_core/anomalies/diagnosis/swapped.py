"""Swapped: from one frame to the next left and right joints are where the others were."""

from __future__ import annotations

import numpy as np

from kineseg_core.anomalies.diagnosis.body_evidence import BodyEvidence

_BETTER, _EACH_BETTER = 1.0, 0.5
"""Log ratios of the distance moved as it is to that if the sides are exchanged: at the best pair, and of others."""
_LEAST_MOVE, _NOISE = 0.15, 0.01


def swapped(evidence: BodyEvidence) -> tuple[int, ...]:
    """The joints that were taken for each other; none if it is not that."""
    if not evidence.pairs:
        return ()
    left, right = np.array(evidence.pairs).T
    for row in evidence.sudden:
        expected, now = evidence.predicted(row), evidence.places[row]
        kept = _distance(now[left], expected[left]) + _distance(now[right], expected[right])
        exchanged = _distance(now[left], expected[right]) + _distance(now[right], expected[left])
        better = np.log((kept + _NOISE) / (exchanged + _NOISE))
        if better.max() > _BETTER and kept[better.argmax()] > _LEAST_MOVE:
            found = (better > _EACH_BETTER) & (kept > _LEAST_MOVE / 2)
            return tuple(int(joint) for joint in np.concatenate([left[found], right[found]]))
    return ()


def _distance(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(some - others, axis=1))
