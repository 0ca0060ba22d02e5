"""Which joint it is: the one all of whose bones are off, or the one that detectors point at."""

from __future__ import annotations

import numpy as np

from kineseg_core.anomalies.diagnosis.body_evidence import BodyEvidence
from kineseg_core.anomalies.diagnosis.path import bends

_LEAST = 1.2
_LEAF = 0.9
_JUMP = 0.02
_OTHERS = 0.35
_OF_JOINTS = ("tele", "hfr", "bpr", "bone", "strain", "tremble", "slip")


def suspects(evidence: BodyEvidence) -> tuple[int, ...]:
    """The most suspect joint first, and others that are nearly as bad."""
    strain = _strain(evidence)
    moved = bends(evidence.places[max(0, evidence.onset - 2) :]).max(axis=0)
    if moved.max() > _JUMP:  # of joints whose bones are off, the one that jumped
        strain *= np.sqrt(moved / moved.max())
    worst = int(strain.argmax())
    if strain[worst] > _LEAST:
        others = np.flatnonzero(strain > _OTHERS * strain[worst])
        return (worst, *(int(joint) for joint in others[np.argsort(-strain[others])] if joint != worst))
    name = max(_OF_JOINTS, key=lambda name: evidence.severities.get(name, -np.inf))
    return (max(evidence.joints[name], 0),)


def _strain(evidence: BodyEvidence) -> np.ndarray:
    """``(J,)`` how far beyond the usual the least deviating bone of each joint is."""
    strain = np.full(len(evidence.source.names), np.inf)
    count = np.zeros(len(strain))
    for (joint, parent), deviations, usual in zip(
        evidence.bones, evidence.deviations[evidence.after].T, evidence.usual.tolist(), strict=True
    ):
        if np.isnan(deviations).all():  # a bone of no length says nothing
            continue
        size = float(np.sqrt(np.nanmean(deviations**2))) / usual
        for end in (joint, parent):
            strain[end] = min(strain[end], size)
            count[end] += 1
    strain[count == 1] *= _LEAF
    strain[count == 0] = 0.0
    return strain


def strained_bone(evidence: BodyEvidence, joint: int) -> np.ndarray:
    """``(n,)`` deviations of the bone at a joint that is off the most; zeros if it has none."""
    best, found = 0.0, np.zeros(len(evidence.places))
    for bone, deviations, usual in zip(evidence.bones, evidence.deviations.T, evidence.usual.tolist(), strict=True):
        if joint in bone:
            after = np.nan_to_num(deviations[evidence.after])
            size = float(np.sqrt(np.mean(after**2))) / usual
            if size > best:
                best, found = size, np.nan_to_num(deviations)
    return found
