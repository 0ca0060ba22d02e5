"""A temporal metric, learned without labels: far apart is what differs between actions, not what differs within one.

What happens within a second or two is nearly always one action. So the differences between a (smoothed) feature
vector and the one a little earlier show how an action scatters; a part of the largest, which may be true changes, is
left out. Whitening by that scatter and keeping the directions in which the corpus varies most gives the embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kineseg_training.errors import DataError, SettingsError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MetricSettings:
    """How to learn the metric.

    Attributes:
        dimensions: E, directions kept.
        smoothing_s: Seconds of the causal moving mean under which the scatter is measured.
        lag_s: Seconds between a frame and the earlier one that it is compared with (half the clip in short clips).
        drop: Share of the largest differences that is left out.
        regularisation: Added to the within-action scatter in all directions, relative to its mean variance. Small
            trusts the corpus in every direction; large leaves the features as they are and only rotates them.
    """

    dimensions: int = 32
    smoothing_s: float = 1.7
    lag_s: float = 1.5
    drop: float = 0.3
    regularisation: float = 0.1

    def __post_init__(self) -> None:
        if self.dimensions < 1:
            raise SettingsError(f"dimensions must be at least 1, got {self.dimensions}")
        if not 0.0 <= self.drop < 1.0:
            raise SettingsError(f"drop must lie in [0, 1), got {self.drop}")
        for name in ("smoothing_s", "lag_s", "regularisation"):
            if not getattr(self, name) > 0.0:
                raise SettingsError(f"{name} must be positive, got {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class Metric:
    """A linear map from features to the embedding, ``features @ weight + bias``.

    Attributes:
        weight: ``(F, E)``.
        bias: ``(E,)``.
    """

    weight: Array
    bias: Array

    def embed(self, blocks: Sequence[Array]) -> Array:
        """``(T, E)`` from blocks ``(T, F_i)`` whose widths add up to F."""
        return np.asarray(np.concatenate(blocks, axis=1) @ self.weight + self.bias)


def learn_metric(takes: Sequence[Sequence[Array]], rate: float, settings: MetricSettings) -> Metric:
    """Learn from the feature blocks of takes.

    Args:
        takes: For each take its blocks, ``(T, F_i)`` each.
        rate: Frames per second of the takes.
        settings: How.

    Raises:
        DataError: No take is longer than half a second, or the features do not vary.
        SettingsError: More dimensions than features.
    """
    centre, scale = _block_scaling(takes)
    if settings.dimensions > len(centre):
        raise SettingsError(f"dimensions ({settings.dimensions}) must not exceed the number of features, {len(centre)}")
    window, lag = max(1, round(settings.smoothing_s * rate)), max(1, round(settings.lag_s * rate))
    warm_up = round(0.5 * rate)  # a moving mean over less than this is hardly smooth
    smooth = [_causal_mean((np.concatenate(take, axis=1) - centre) * scale, window)[warm_up:] for take in takes]
    smooth = [take for take in smooth if len(take) > 1]
    if not smooth:
        raise DataError("every take is shorter than half a second: too short to learn the metric from")
    within = _within_scatter(smooth, lag, settings.drop)
    strength = settings.regularisation * float(np.trace(within)) / len(within)
    whitening = _inverse_root(within + strength * np.eye(len(within)))
    total = np.cov(np.concatenate(smooth), rowvar=False)
    _, directions = np.linalg.eigh(whitening @ total @ whitening)
    axes = whitening @ directions[:, ::-1][:, : settings.dimensions]
    variance = float(np.trace(axes.T @ total @ axes))
    if not variance > 0.0:
        raise DataError("the features do not vary: nothing to learn the metric from")
    # An axis has no natural sign; the largest entry positive makes the result the same on every machine.
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    weight = scale[:, None] * axes / np.sqrt(variance)
    return Metric(weight, -centre @ weight)


def _block_scaling(takes: Sequence[Sequence[Array]]) -> tuple[Array, Array]:
    """Centre and factor of every feature, by which each block gets mean 0 and total variance 1."""
    if not takes:
        raise DataError("no takes to learn the metric from")
    centres, factors = [], []
    for block in range(len(takes[0])):
        values = np.concatenate([take[block] for take in takes])
        variance = float(values.var(axis=0).sum())
        centres.append(values.mean(axis=0))
        factors.append(np.full(values.shape[1], 1.0 / np.sqrt(variance) if variance > 0.0 else 0.0))
    return np.concatenate(centres), np.concatenate(factors)


def _causal_mean(values: Array, window: int) -> Array:
    """Mean over the last `window` frames, over fewer at the start."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, None])


def _within_scatter(takes: Sequence[Array], lag: int, drop: float) -> Array:
    """Mean outer product of the differences, the largest left out."""
    differences = []
    for take in takes:
        step = min(lag, max(1, len(take) // 2))
        differences.append(take[step:] - take[:-step])
    moved = np.concatenate(differences)
    length = (moved**2).sum(axis=1)
    kept = moved[length <= np.quantile(length, 1.0 - drop)]
    return np.asarray(kept.T @ kept / len(kept))


def _inverse_root(matrix: Array) -> Array:
    """Symmetric inverse square root of a positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    if not values[0] > 0.0:
        raise DataError("the features do not vary: nothing to learn the metric from")
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def rows_of(blocks: Sequence[int]) -> list[slice]:
    """The rows of `Metric.weight` that belong to each of the blocks of these widths."""
    edges = np.concatenate([[0], np.cumsum(blocks)])
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]
