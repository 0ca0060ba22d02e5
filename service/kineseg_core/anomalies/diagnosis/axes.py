"""Axes: from one frame to the next the body is mirrored, or its axes have been exchanged."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

from kineseg_core.anomalies.diagnosis.body_evidence import BodyEvidence

_LEAST_MOVE = 0.05
_EXPLAINED = 0.4

_CHANGES = [
    np.eye(3)[list(order)] * np.array(signs)[:, None]
    for order in permutations(range(3))
    for signs in product((1.0, -1.0), repeat=3)
][1:]


def axes_changed(evidence: BodyEvidence) -> bool:
    """Some change of axes explains a jump of the whole body."""
    for row in evidence.sudden:
        before, after = (
            np.delete(evidence.predicted(row), _root(evidence), 0),
            np.delete(evidence.places[row], _root(evidence), 0),
        )
        moved = np.linalg.norm(after - before, axis=1)
        if np.median(moved) < _LEAST_MOVE:
            continue
        left = min(float(np.median(np.linalg.norm(after - before @ change.T, axis=1))) for change in _CHANGES)
        if left < _EXPLAINED * np.median(moved):
            return True
    return False


def _root(evidence: BodyEvidence) -> int:
    return (evidence.source.parents or ()).index(-1)
