"""How well a recogniser names actions, how far its probabilities can be believed, and what it makes of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from kineseg_training.data.labelled import LabelledClips, LabelledWindows, cut_labelled
from kineseg_training.models.stgcn import STGCN
from kineseg_training.studies.das_2023.task import window_logits

Array = NDArray[np.float64]
# Of windows of known actions, the share that a threshold is to keep.
KEPT = 0.95
_LOWEST, _HIGHEST = -3.0, 3.0  # of the temperature's logarithm
# Contents of the BVH set that are CMU actions, done by other people.
SAME_ACTION = {
    "walk": "walking",
    "walk-left": "walking",
    "walk-right": "walking",
    "walk-back": "walking",
    "run": "running",
    "dash": "running",
}


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What a recogniser says about windows, and what they are.

    Attributes:
        windows: N of them.
        actions: K names.
        log_probabilities: ``(N, K)``.
    """

    windows: LabelledWindows
    actions: tuple[str, ...]
    log_probabilities: Array

    @property
    def chosen(self) -> NDArray[np.int64]:
        """``(N,)`` likeliest label of each window."""
        return np.asarray(self.log_probabilities.argmax(axis=1))

    @property
    def best(self) -> Array:
        """``(N,)`` its probability."""
        return np.asarray(np.exp(self.log_probabilities.max(axis=1)))

    @property
    def right(self) -> NDArray[np.bool_]:
        """``(N,)``: whether it is the true one."""
        return np.asarray(self.chosen == self.windows.labels)

    def balanced(self) -> float:
        """Share of right windows, each action counting as much as any other."""
        return balanced(self.right, self.windows.labels)

    def confusion(self) -> NDArray[np.int64]:
        """``(K, K)`` windows by true and chosen label."""
        counts = np.zeros((len(self.actions), len(self.actions)), dtype=np.int64)
        np.add.at(counts, (self.windows.labels, self.chosen), 1)
        return counts

    def of_clips(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """(chosen label, true label, probability) of each clip with a window, by the mean of its log-probabilities."""
        clips = np.unique(self.windows.clip)
        means = np.stack([self.log_probabilities[self.windows.clip == clip].mean(axis=0) for clip in clips])
        truth = np.array([self.windows.labels[self.windows.clip == clip][0] for clip in clips])
        return means.argmax(axis=1), truth, np.exp(log_softmax(means, axis=1).max(axis=1))

    def clip_accuracy(self) -> float:
        """Share of clips that are named rightly."""
        chosen, truth, _ = self.of_clips()
        return float((chosen == truth).mean())


def evaluate(network: STGCN, clips: LabelledClips, every: int) -> Evaluated:
    """Run over all windows of the clips, `every` frames apart, of the network's own length."""
    windows = cut_labelled(clips, network.settings.window, every)
    logits = window_logits(network, windows.frames).double().numpy()
    return Evaluated(windows, network.settings.classes, log_softmax(logits, axis=1))


def balanced(right: NDArray[np.bool_], labels: NDArray[np.int64]) -> float:
    """Mean over the labels of the share of right ones."""
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def nearest_neighbour(train: LabelledWindows, test: LabelledWindows, mean: Array, scale: Array) -> NDArray[np.int64]:
    """``(N,)`` labels of test windows: that of the training window with the most similar poses, pooled over time.

    Pooled are mean and standard deviation over a window of the normalised channels.
    """

    def pooled(windows: LabelledWindows) -> Array:
        normal = (windows.frames - mean) / scale
        return np.concatenate([normal.mean(axis=1), normal.std(axis=1)], axis=1)

    neighbours = KNeighborsClassifier(n_neighbors=1).fit(pooled(train), train.labels)
    return np.asarray(neighbours.predict(pooled(test)))


@torch.no_grad()
def pooled_features(network: STGCN, frames: NDArray[np.float32], at_once: int = 128) -> Array:
    """``(N, C_L)`` directions of length one: what the classifier sees of windows ``(N, W, 59)``."""
    found = (
        torch.cat([network.pooled(part) for part in torch.split(torch.from_numpy(frames), at_once)]).double().numpy()
    )
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))


def similarity(features: Array, known: Array) -> Array:
    """``(N,)`` cosine of each of ``(N, E)`` directions with the nearest of ``(M, E)`` known ones."""
    return np.asarray((features @ known.T).max(axis=1))


@dataclass(frozen=True, eq=False)
class Reliability:
    """Probability of the chosen action against how often it was right, in bins of equal width.

    Attributes:
        probability: ``(n,)`` mean of each bin that has windows.
        accuracy: ``(n,)`` share of right ones in it.
        share: ``(n,)`` of all windows.
        error: Expected calibration error: mean distance of the two, weighted by share.
    """

    probability: Array
    accuracy: Array
    share: Array
    error: float


def fitted_temperature(logits: Array, labels: NDArray[np.int64]) -> float:
    """What to divide logits by so that held-out labels become likeliest (Guo et al. 2017), all actions alike.

    Args:
        logits: ``(N, K)``, at temperature one.
        labels: ``(N,)``.
    """
    weights = even_weights(labels)

    def loss(log_temperature: float) -> float:
        likely = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-(weights * likely[np.arange(len(labels)), labels]).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(_LOWEST, _HIGHEST), method="bounded").x))


def recommended_threshold(best: Array, labels: NDArray[np.int64], kept: float = KEPT) -> float:
    """The probability below which to say unknown so that the share `kept` of held-out windows keeps its name.

    Args:
        best: ``(N,)`` probability of the likeliest action.
        labels: ``(N,)``, each action counting as much.
        kept: Between 0 and 1.
    """
    order = np.argsort(best, kind="stable")
    weights = even_weights(labels)[order]
    lost = np.cumsum(weights) - weights  # were the threshold this window's probability
    return float(best[order][np.searchsorted(lost, 1.0 - kept + 1e-9, side="right") - 1])


def reliability(best: Array, right: NDArray[np.bool_], bins: int = 10) -> Reliability:
    """Compare probabilities ``(N,)`` with whether they were right ``(N,)``."""
    place = np.minimum((best * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = counts > 0
    probability = np.bincount(place, best, bins)[filled] / counts[filled]
    accuracy = np.bincount(place, right.astype(np.float64), bins)[filled] / counts[filled]
    share = counts[filled] / len(best)
    return Reliability(probability, accuracy, share, float((share * np.abs(probability - accuracy)).sum()))


def even_weights(labels: NDArray[np.int64]) -> Array:
    """``(N,)``, summing to one, each label that occurs having as much as any other."""
    counts = np.bincount(labels)
    return np.asarray(1.0 / (counts[labels] * np.count_nonzero(counts)))


@dataclass(frozen=True)
class Rejection:
    """How a score separates known from unknown; high means known.

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
    """Evaluate a threshold.

    Args:
        score: Name of the score.
        threshold: To evaluate.
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
