"""What each layer of a model sees alike: distances, dataset graphs and label smoothness, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from kineseg_training.data import LabelledClips
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.studies.das_2023.layers.dataset_graph import Neighbours, graph_of_distances
from kineseg_training.studies.das_2023.layers.dtw import dtw_distances

Array = NDArray[np.float64]
Features = Mapping[str, Sequence[NDArray[np.floating]]]


def label_smoothness(weights: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Normalised Laplacian quadratic form of the labels as signals on a graph; small where neighbours share labels.

    With degrees D, ``L = I - D^-1/2 W D^-1/2`` and one signal a label, ``X = D^1/2 Y`` for one-hot Y, it is
    ``trace(X' L X) / trace(X' X)``. The root of the degrees is what the normalised Laplacian calls constant, so that
    only edges between labels count; worked out, it is the share of the weight of all edges that joins different
    labels. It lies between 0 (every neighbour shares the label) and 1, whatever the number of nodes, labels and
    neighbours and the scale of the weights. For labels dealt out at random see `shuffled_smoothness`.

    Args:
        weights: ``(N, N)``, symmetric, not negative, zero on the diagonal.
        labels: ``(N,)``.

    Raises:
        DataError: Fewer than two different labels, shapes that do not fit, weights that make no graph, or no edges.
    """
    w, y = _checked(weights, labels)
    degrees = w.sum(axis=1)
    if not degrees.any():
        raise DataError("the graph has no edges; is k too small, or are all distances zero?")
    _, which = np.unique(y, return_inverse=True)
    signals = np.sqrt(degrees)[:, None] * np.eye(which.max() + 1)[which]
    root = np.sqrt(np.where(degrees > 0.0, degrees, 1.0))
    passed_on = (w / root[:, None] / root[None, :]) @ signals
    return float(max(0.0, (signals * (signals - passed_on)).sum() / (signals * signals).sum()))


def shuffled_smoothness(labels: NDArray[np.integer]) -> float:
    """What `label_smoothness` is on average over all ways to deal the same labels out: no layer sees anything.

    Every edge then joins two nodes drawn at random, so that it is the share of pairs whose labels differ, on any graph.

    Raises:
        DataError: Fewer than two different labels.
    """
    y = _labels(labels)
    _, counts = np.unique(y, return_counts=True)
    return float(1.0 - (counts * (counts - 1)).sum() / (len(y) * (len(y) - 1)))


def _checked(weights: NDArray[np.floating], labels: NDArray[np.integer]) -> tuple[Array, NDArray[np.integer]]:
    y = _labels(labels)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (len(y), len(y)):
        raise DataError(f"{len(y)} labels need weights of shape ({len(y)}, {len(y)}), got {w.shape}")
    if not np.isfinite(w).all() or (w < 0.0).any() or not np.allclose(w, w.T) or np.diag(w).any():
        raise DataError("weights must be finite, not negative, symmetric, and zero on the diagonal")
    return w, y


def _labels(labels: NDArray[np.integer]) -> NDArray[np.integer]:
    y = np.asarray(labels)
    if y.ndim != 1:
        raise DataError(f"labels must be one for each sequence, got shape {y.shape}")
    if len(np.unique(y)) < 2:
        raise DataError("fewer than two different labels: nothing can be said about whether neighbours share theirs")
    return y


class Layered(Protocol):
    """A model that can be looked into."""

    def layer_sequences(self, frames: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """Features ``(T', F)`` of every layer, in order, of a clip ``(T, C)`` in channel units."""
        ...


@dataclass(frozen=True)
class LayerSettings:
    """How layers are compared.

    Attributes:
        k: Nearest neighbours of each sequence.
        window_s: Seconds by which two frames laid onto each other may be apart.
        dimensions: Principal components of a layer's features that are warped; less where it has fewer.
        rate: Frames per second of the clips.
    """

    k: int = 5
    window_s: float = 0.5
    dimensions: int = 32
    rate: float = 30.0

    def __post_init__(self) -> None:
        for name in ("k", "dimensions"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.window_s < 0.0:
            raise SettingsError(f"window_s must not be negative, got {self.window_s}")
        if self.rate <= 0.0:
            raise SettingsError(f"rate must be above zero, got {self.rate}")


@dataclass(frozen=True, eq=False)
class Pieces:
    """Sequences to compare: clips, or parts of long ones.

    Attributes:
        frames: N times ``(T_i, C)``.
        labels: ``(N,)``.
        takes: ``(N,)``: the clip that each is from.
        actions: Names of the labels.
    """

    frames: tuple[Array, ...]
    labels: NDArray[np.int64]
    takes: NDArray[np.int64]
    actions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def longest(self) -> int:
        """Frames of the longest one."""
        return max(map(len, self.frames))


def pieces_of(clips: LabelledClips, *, longest_s: float = 5.0, per_action: int = 8) -> Pieces:
    """Clips cut into equal parts no longer than `longest_s`, at most `per_action` of them of each action.

    Where there are more, they are taken from as many takes as possible, and from places spread over a take.
    """
    if longest_s * clips.rate < 2 or per_action < 1:
        raise SettingsError("longest_s must be at least two frames, and per_action at least 1")
    frames, labels, takes = [], [], []
    for label, action in enumerate(clips.actions):
        of_take = []
        for take, clip in enumerate(clips.clips):
            if clip.action == action:
                n_parts = int(np.ceil(len(clip.frames) / (longest_s * clips.rate)))
                of_take.append([(take, part) for part in np.array_split(clip.frames, n_parts)])
        for take, part in _spread(of_take, per_action):
            frames.append(part)
            labels.append(label)
            takes.append(take)
    if len(set(labels)) < 2:
        raise DataError("fewer than two actions among the clips: nothing can be said about what separates them")
    return Pieces(tuple(frames), np.array(labels, np.int64), np.array(takes, np.int64), clips.actions)


def _spread(of_take: Sequence[Sequence[tuple[int, Array]]], n: int) -> list[tuple[int, Array]]:
    """At most n parts: take by take in turn, and within a take spread over it."""
    if len(of_take) > n:
        return [of_take[i][len(of_take[i]) // 2] for i in np.linspace(0, len(of_take) - 1, n).round().astype(int)]
    wanted = [0] * len(of_take)
    while sum(wanted) < min(n, sum(map(len, of_take))):
        for i, parts in enumerate(of_take):
            if wanted[i] < len(parts) and sum(wanted) < n:
                wanted[i] += 1
    return [
        parts[i]
        for parts, count in zip(of_take, wanted, strict=True)
        for i in np.linspace(0, len(parts) - 1, count).round().astype(int)
    ]


def layer_features(model: Layered, frames: Sequence[NDArray[np.floating]]) -> Features:
    """What a model makes of N clips: by layer, in the order of the layers, N times ``(T_i', F)``.

    Args:
        model: In eval mode.
        frames: ``(T_i, C)`` each, channel units.

    Raises:
        DataError: Fewer than two clips, or a clip that the model cannot take.
    """
    if len(frames) < 2:
        raise DataError(f"{len(frames)} sequence(s): at least two are needed to compare")
    of_clip = [model.layer_sequences(clip) for clip in frames]
    return {layer: [layers[layer] for layers in of_clip] for layer in of_clip[0]}


def distances_between(
    features: Features, longest: int, settings: LayerSettings | None = None, only: Sequence[str] | None = None
) -> dict[str, Array]:
    """Distances ``(N, N)`` of N clips at every layer.

    Each feature of a layer is brought to variance 1 over all frames (those that hardly vary are not blown up), the
    layer is turned to its principal axes, of which the first are kept, and sequences are compared by windowed warping.
    Where a layer has fewer frames than the clip, the window has fewer, too.

    Args:
        features: Of `layer_features`.
        longest: Frames of the longest clip.
        settings: How.
        only: Names of the layers wanted; all of them by default.

    Raises:
        SettingsError: There is no such layer; the message lists those there are.
    """
    settings = settings or LayerSettings()
    found = {}
    for layer in features if only is None else only:
        if layer not in features:
            raise SettingsError(f"layer: the model has no {layer!r}; it has {', '.join(features)}")
        sequences = reduced(features[layer], settings.dimensions)
        stride = max(1, round(longest / max(map(len, sequences))))
        found[layer] = dtw_distances(sequences, 1 + round(settings.window_s * settings.rate / stride))
    return found


def layer_distances(
    model: Layered, frames: Sequence[NDArray[np.floating]], settings: LayerSettings | None = None
) -> dict[str, Array]:
    """`distances_between` N clips ``(T_i, C)`` by what a model in eval mode makes of them (`layer_features`)."""
    return distances_between(layer_features(model, frames), max(map(len, frames), default=0), settings)


def layer_smoothness(
    model: Layered,
    frames: Sequence[NDArray[np.floating]],
    labels: NDArray[np.integer],
    settings: LayerSettings | None = None,
    neighbours: Neighbours = "nnk",
) -> dict[str, float]:
    """`label_smoothness` of the dataset graph of each layer, in the order of the layers.

    Args:
        model: In eval mode.
        frames: N clips ``(T_i, C)``, channel units.
        labels: ``(N,)``.
        settings: How layers are compared.
        neighbours: ``knn`` or ``nnk``.

    Raises:
        DataError: Fewer than two labels or clips.
        SettingsError: k is not below N.
    """
    settings = settings or LayerSettings()
    distances = layer_distances(model, frames, settings)
    return {
        layer: label_smoothness(graph_of_distances(matrix, k=settings.k, neighbours=neighbours), labels)
        for layer, matrix in distances.items()
    }


def reduced(sequences: Sequence[NDArray[np.floating]], dimensions: int) -> list[Array]:
    """Standardised features of one layer, on the first principal axes: ``(T_i, F)`` each to ``(T_i, dimensions)``.

    Nothing is scaled after the rotation, so distances stay what they are but for what the last axes hold.
    """
    together = np.concatenate([np.asarray(sequence, dtype=np.float64) for sequence in sequences])
    together -= together.mean(axis=0)
    scale = together.std(axis=0)
    together /= np.maximum(scale, 0.1 * scale.max() or 1.0)
    kept = min(dimensions, together.shape[1], len(together))
    if kept < together.shape[1]:
        together = PCA(kept, svd_solver="covariance_eigh", random_state=0).fit_transform(together)
    ends = np.cumsum([len(sequence) for sequence in sequences])[:-1]
    return [np.ascontiguousarray(part) for part in np.split(together, ends)]
