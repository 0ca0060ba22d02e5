"""States of a predictor: how they are read, how few dimensions hold them, and how well they gather by action."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn

from kineseg_training.data.labelled import LabelledClips, LabelledWindows, cut_labelled
from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.composite import CompositeLSTM
from kineseg_training.models.seq2seq import VELOCITY_GAIN, Seq2Seq, heard
from kineseg_training.models.su_shlizerman import TiedSeq2Seq

ENCODER, DECODER, POSE = "encoder", "decoder", "pose"

Parts = dict[str, NDArray[np.float32]]
# k-means is begun so often, at other places.
_STARTS = 4
_NEIGHBOURS = 15


@torch.no_grad()
def read_states(model: nn.Module, frames: NDArray[np.float32], decoded: int) -> Parts:
    """Read windows, then go on.

    Args:
        model: One of the recurrent predictors.
        frames: ``(N, S, C)`` channels, not normalised.
        decoded: n, frames to go on for.

    Returns:
        ``encoder`` ``(N, S, H)``: the state after each frame read. ``decoder`` ``(N, n, H)``: the states that the n
        frames after them were predicted from. Of several layers, the top one.

    Raises:
        SettingsError: A model of a kind that has no such states.
        DataError: Windows of another number of channels, or none.
    """
    if not isinstance(model, TiedSeq2Seq | Seq2Seq | CompositeLSTM):
        raise SettingsError(f"model: {type(model).__name__} has no encoder and decoder states")
    if frames.ndim != 3 or not len(frames) or frames.shape[2] != len(model.mean):
        raise DataError(f"windows of shape {frames.shape}: expected (at least 1, frames, {len(model.mean)} channels)")
    source = model.normalise(torch.from_numpy(frames).to(model.mean.device))
    if isinstance(model, TiedSeq2Seq):
        encoder, _ = model.encode(source)
        _, decoder = model(source, decoded)
    elif isinstance(model, CompositeLSTM):
        encoder, last = model.encode(source)
        going_on = model.future if model.future is not None else model.past_decoder()
        _, decoder = going_on(last, decoded, before=source[:, -1])
    else:
        encoder, decoder = _shipped(model, source, decoded)
    return {ENCODER: encoder.float().cpu().numpy(), DECODER: decoder.float().cpu().numpy()}


def balanced_windows(clips: LabelledClips, length: int, each: int) -> LabelledWindows:
    """At most `each` windows of every action, spread evenly over all that can be cut from its clips.

    Raises:
        DataError: An action of which every clip is shorter than a window.
    """
    windows = cut_labelled(clips, length, 1)
    chosen = []
    for label in range(len(clips.actions)):
        rows = np.flatnonzero(windows.labels == label)
        chosen.append(rows[np.unique(np.linspace(0, len(rows) - 1, each).round().astype(np.int64))])
    return windows.rows(np.concatenate(chosen))


def _shipped(model: Seq2Seq, source: Tensor, decoded: int) -> tuple[Tensor, Tensor]:
    """As `Seq2Seq.forward` goes on, keeping the states."""
    encoder, state = model.rnn(heard(source))
    before, hidden = source[:, -1:], encoder[:, -1:]
    frame, seen = before + model.velocity(hidden), [hidden]
    for _ in range(decoded - 1):
        hidden, state = model.rnn(torch.cat([frame, VELOCITY_GAIN * (frame - before)], dim=2), state)
        before, frame = frame, frame + model.velocity(hidden)
        seen.append(hidden)
    return encoder, torch.cat(seen, dim=1)


@dataclass(frozen=True)
class Separation:
    """How well points gather by label.

    Attributes:
        silhouette: -1 to 1; how much nearer a point is to its own cluster than to the next one. More is better.
        davies_bouldin: Spread of clusters against the distance between them. Less is better.
        ari_kmeans: Adjusted Rand index, 1 for equal, 0 for chance, of k-means clusters with the labels; k is the
            number of labels.
        ari_agglomerative: The same of agglomerative clusters (average linkage, cosine distance from the mean).
    """

    silhouette: float
    davies_bouldin: float
    ari_kmeans: float
    ari_agglomerative: float


def separation(points: NDArray[np.floating], labels: NDArray[np.integer], seed: int = 0) -> Separation:
    """How well ``(N, F)`` points gather by their labels ``(N,)``.

    Raises:
        DataError: One label only, or no label that two points share.
    """
    count = checked_labels(points, labels)
    flat = np.asarray(points, dtype=np.float64)
    return Separation(
        silhouette(flat, labels),
        float(davies_bouldin_score(flat, labels)),
        float(adjusted_rand_score(labels, k_means(flat, count, seed))),
        float(adjusted_rand_score(labels, agglomerated(flat, count))),
    )


def silhouette(points: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean silhouette of ``(N, F)`` points under labels ``(N,)``; raises as `separation`."""
    checked_labels(points, labels)
    return float(silhouette_score(points, labels))


def recognised(
    known: NDArray[np.floating],
    known_labels: NDArray[np.integer],
    points: NDArray[np.floating],
    labels: NDArray[np.integer],
) -> float:
    """Share of points ``(N, F)`` whose nearest among the `known` ``(M, F)`` has their label, mean over the labels.

    Unlike what `separation` says about points that come from few takes, this is about the actions and not the takes,
    where `known` and `points` are from different ones.
    """
    nearest = KNeighborsClassifier(1).fit(known, known_labels).predict(points)
    return float(np.mean([np.mean(nearest[labels == label] == label) for label in np.unique(labels)]))


def k_means(points: NDArray[np.floating], count: int, seed: int) -> NDArray[np.int64]:
    """``(N,)``: cluster of each of ``(N, F)`` points."""
    found = KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(np.asarray(points, dtype=np.float64))
    return np.asarray(found, dtype=np.int64)


def agglomerated(points: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """``(N,)``: cluster of each of ``(N, F)`` points, by the angle between them as seen from their mean."""
    centred = np.asarray(points, dtype=np.float64) - np.mean(points, axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    centred = np.where(length > 0.0, centred, 1.0)  # a point at the mean has no direction; any will do
    found = AgglomerativeClustering(count, metric="cosine", linkage="average").fit_predict(centred)
    return np.asarray(found, dtype=np.int64)


def checked_labels(points: NDArray[np.floating], labels: NDArray[np.integer]) -> int:
    """How many labels there are.

    Raises:
        DataError: One only, or no label that two points share, or not one label a point.
    """
    if len(points) != len(labels):
        raise DataError(f"{len(labels)} labels for {len(points)} points")
    count = len(np.unique(labels))
    if count < 2:
        raise DataError(
            f"{count} action(s): how well states gather by action can be measured for two at least; name more"
        )
    if count >= len(labels):
        raise DataError(f"{count} actions with one state each: take more windows of each")
    return count


@dataclass(frozen=True, eq=False)
class Components:
    """The principal components of some points.

    Attributes:
        mean: ``(F,)``.
        axes: ``(K, F)``, orthonormal, that of the largest variance first.
        variances: ``(K,)`` along them, not negative, falling.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    variances: NDArray[np.float64]

    @property
    def explained(self) -> NDArray[np.float64]:
        """``(K,)``: share of the variance that the first component holds, the first two, ..., all (1)."""
        total = self.variances.sum()
        shares = self.variances / total if total > 0.0 else np.zeros_like(self.variances)
        return np.asarray(np.minimum(np.cumsum(shares), 1.0), dtype=np.float64)

    @property
    def effective_dimension(self) -> float:
        """`participation_ratio` of the variances."""
        return participation_ratio(self.variances)

    def needed(self, share: float) -> int:
        """How many components hold at least this share of the variance."""
        return int(np.searchsorted(self.explained, share - 1e-9)) + 1

    def project(self, points: NDArray[np.floating], dimensions: int) -> NDArray[np.float64]:
        """``(..., F)`` to ``(..., dimensions)``."""
        if not 1 <= dimensions <= len(self.axes):
            raise SettingsError(f"dimensions must be from 1 to {len(self.axes)}, got {dimensions}")
        return np.asarray((points - self.mean) @ self.axes[:dimensions].T, dtype=np.float64)


def principal_components(points: NDArray[np.floating]) -> Components:
    """Of points ``(..., F)``; K is F, or the number of points where they are fewer.

    Raises:
        DataError: Fewer than two points, or one that is not finite.
    """
    flat = np.asarray(points, dtype=np.float64).reshape(-1, points.shape[-1])
    if len(flat) < 2:
        raise DataError(f"{len(flat)} state(s): principal components need two at least")
    if not np.isfinite(flat).all():
        raise DataError("a state that is not finite; the model has diverged, train it with a lower learning rate")
    if np.ptp(flat, axis=0).max() == 0.0:  # nothing varies: any axes will do
        count = min(flat.shape)
        return Components(flat[0], np.eye(count, flat.shape[1]), np.zeros(count))
    found = PCA(svd_solver="full").fit(flat)
    return Components(found.mean_, found.components_, np.maximum(found.explained_variance_, 0.0))


def participation_ratio(variances: NDArray[np.floating]) -> float:
    """The effective dimension ``(sum v)^2 / sum v^2``: K for K equal variances, 1 where one holds all, 0 for none.

    Raises:
        DataError: A variance is negative or not finite.
    """
    values = np.asarray(variances, dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0.0).all()):
        raise DataError("variances must be finite and not negative")
    largest = values.max(initial=0.0)
    if largest == 0.0:
        return 0.0
    values = values / largest  # so that neither sum can overflow or vanish
    return float(values.sum() ** 2 / np.square(values).sum())


def umap_projection(points: NDArray[np.floating], dimensions: int, seed: int) -> NDArray[np.float64]:
    """UMAP of points ``(..., F)`` into ``(..., dimensions)``: keeps neighbourhoods, not distances.

    McInnes, Healy and Melville 2018 (arXiv 1802.03426). Deterministic for a seed.

    Raises:
        SettingsError: umap-learn is not installed, or there are too few points.
    """
    try:
        from umap import UMAP  # optional; tens of seconds to import and compile
    except ImportError as error:
        raise SettingsError(
            "umap: umap-learn is not installed; pip install 'kineseg[explore]', or leave --umap out"
        ) from error
    flat = np.asarray(points, dtype=np.float32).reshape(-1, points.shape[-1])
    if len(flat) <= dimensions + 1:
        raise SettingsError(f"umap: {len(flat)} states are too few for {dimensions} dimensions")
    reducer = UMAP(
        n_components=dimensions, n_neighbors=min(_NEIGHBOURS, len(flat) - 1), random_state=seed, n_jobs=1, init="pca"
    )
    found: NDArray[np.float64] = np.asarray(reducer.fit_transform(flat), dtype=np.float64)
    return found.reshape(*points.shape[:-1], dimensions)
