"""Actions that a recogniser was never taught: how well they are told from those that it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from kineseg_training.data.labelled import LabelledClips

Array = NDArray[np.float64]

# Contents of the BVH set that are CMU actions, done by other people.
SAME_ACTION = {
    "walk": "walking",
    "walk-left": "walking",
    "walk-right": "walking",
    "walk-back": "walking",
    "run": "running",
    "dash": "running",
}


@dataclass(frozen=True)
class Rejection:
    """How a score tells known from unknown; high means known.

    Attributes:
        score: Its name.
        threshold: Below it a window is called unknown.
        kept: Share of windows of known actions at or above it, actions alike.
        rejected: Share of windows of unknown actions below it, actions alike.
        auroc: Probability that a known window scores higher than an unknown one, all windows alike.
    """

    score: str
    threshold: float
    kept: float
    rejected: float
    auroc: float


def rejection(
    score: str,
    threshold: float,
    known: tuple[Array, NDArray[np.int64]],
    unknown: tuple[Array, NDArray[np.int64]],
) -> Rejection:
    """Judge a threshold.

    Args:
        score: Name of the score.
        threshold: To judge.
        known: Scores ``(N,)`` of windows of known actions, and their labels ``(N,)``.
        unknown: The same of unknown actions.
    """
    kept, rejected = (
        float(np.mean([passed[labels == label].mean() for label in np.unique(labels)]))
        for passed, labels in ((known[0] >= threshold, known[1]), (unknown[0] < threshold, unknown[1]))
    )
    truth = np.concatenate([np.ones(len(known[0])), np.zeros(len(unknown[0]))])
    return Rejection(
        score, threshold, kept, rejected, float(roc_auc_score(truth, np.concatenate([known[0], unknown[0]])))
    )


def without_known(clips: LabelledClips, length: int) -> LabelledClips:
    """The clips of the BVH set that show no CMU action and are as long as a window."""
    long = {clip.action for clip in clips.clips if len(clip.frames) >= length}
    return clips.only(sorted(long - SAME_ACTION.keys()))
