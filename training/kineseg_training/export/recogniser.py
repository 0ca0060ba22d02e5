"""The ST-GCN as a streaming step: a ring of the latest frames is its state; with each the window is looked at anew.

    window    = the last W frames; in a new stream the first frame, W times
    pooled    = what the network has made of the window before its classifier
    scores    = log-softmax of the logits
    embedding = pooled @ W + b
    surprise  = squared distance of `pooled` to the nearest action, in units of what is usual within an action

A recogniser does not predict; its prediction is the frame again. The surprise is the distance by which Lee et al.
("A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks", NeurIPS 2018, arXiv
1807.03888) recognise what a classifier has never seen: far from the mean of every class, with one covariance for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kineseg_training.errors import DataError
from kineseg_training.export.metric import Metric
from kineseg_training.export.step_graph import StepModule
from kineseg_training.models.stgcn import STGCN

Array = NDArray[np.float64]

# Added to the covariance, relative to its mean variance: of a few hundred correlated windows the small ones are noise.
_REGULARISATION = 0.1


@dataclass(frozen=True, eq=False)
class Familiar:
    """Where the actions lie among the pooled features.

    Attributes:
        whitening: ``(F, F)``; features times this have unit covariance within an action, over all dimensions together.
        means: ``(K, F)``, of the actions, whitened.
    """

    whitening: Array
    means: Array

    def surprise(self, pooled: Array) -> Array:
        """``(N,)`` squared distances of ``(N, F)`` features to the nearest action, 1 on average."""
        whitened = pooled @ self.whitening
        return np.asarray(((whitened[:, None] - self.means) ** 2).sum(axis=2).min(axis=1))


def learn_familiar(pooled: Array, labels: NDArray[np.int64], classes: int) -> Familiar:
    """Learn from the pooled features ``(N, F)`` of windows of known actions ``(N,)``.

    Raises:
        DataError: An action without windows.
    """
    if len(set(labels.tolist())) < classes:
        raise DataError(f"only {len(set(labels.tolist()))} of {classes} actions have windows to learn from")
    means = np.stack([pooled[labels == label].mean(axis=0) for label in range(classes)])
    within = np.cov(pooled - means[labels], rowvar=False)
    within += _REGULARISATION * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    whitening = vectors / np.sqrt(values * len(values))
    return Familiar(whitening, means @ whitening)


class RecogniserStep(StepModule):
    """The network behind a ring of frames.

    Args:
        model: The network, in eval mode.
        metric: The embedding, of the pooled features.
        familiar: How far from every known action is surprising.
    """

    weight: Tensor
    bias: Tensor
    whitening: Tensor
    means: Tensor

    def __init__(self, model: STGCN, metric: Metric, familiar: Familiar) -> None:
        super().__init__()
        self.model = model
        self.window, self.channels = model.settings.window, len(model.mean)
        self.classes = model.settings.classes
        self.embedding_dim = metric.weight.shape[1]
        self.parts = (("frames", self.window * self.channels), ("started", 1))
        for name, array in (
            ("weight", metric.weight),
            ("bias", metric.bias),
            ("whitening", familiar.whitening),
            ("means", familiar.means),
        ):
            self.register_buffer(name, torch.from_numpy(np.asarray(array, dtype=np.float32)))

    def forward(self, frame: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """See `StepModule`."""
        ring, started = self.unpacked(state)
        before = ring[:, self.channels :]
        filled = frame.repeat(1, self.window - 1)
        frames = torch.cat([started * before + (1.0 - started) * filled, frame], dim=1)
        features = self.model.continued(self.model.inputs(frames.view(-1, self.window, self.channels)), 0)
        pooled = features.mean(dim=(2, 3))
        scores = torch.log_softmax(self.model.classify(features), dim=1)
        embedding = pooled @ self.weight + self.bias
        away = ((pooled @ self.whitening).unsqueeze(1) - self.means) ** 2
        surprise = away.sum(dim=2).amin(dim=1)
        return frame.clone(), surprise, embedding, torch.cat([frames, torch.ones_like(started)], dim=1), scores
