"""How well a recogniser names the windows and the clips of a test set, and what a nearest neighbour makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.neighbors import KNeighborsClassifier

from kineseg_training.data.labelled import LabelledClips, LabelledWindows, cut_labelled
from kineseg_training.models.stgcn import STGCN
from kineseg_training.studies.das_2023.task import window_logits

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
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


def judged(network: STGCN, clips: LabelledClips, every: int) -> Judged:
    """Run over all windows of the clips, `every` frames apart, of the network's own length."""
    windows = cut_labelled(clips, network.settings.window, every)
    logits = window_logits(network, windows.frames).double().numpy()
    return Judged(windows, network.settings.classes, log_softmax(logits, axis=1))


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
