"""What an embedding is worth: the service's segmenter run on it, and figures that say why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

import numpy as np
from kineseg_core.segmenter import PrototypeClusterer, SegmentEnd, SegmenterSettings
from numpy.typing import NDArray

from evaluation.quality.segmented import Embedded, decisions
from evaluation.quality.stream import MODEL_RATE, AnnotatedStream

Array = NDArray[np.float64]

_TRIM_S = 0.5  # at both ends of a true segment: the passage is neither action
_SMOOTH_S = 0.3


@dataclass(frozen=True, eq=False)
class EmbeddingStream:
    """A stream as the embedding sees it, with its truth at the model's rate.

    Attributes:
        set_name, name: Of the stream.
        frames: ``(T, C)``.
        truth: ``(K, 3)`` earliest, best and latest frame of each boundary.
        labels: ``(T,)``.
    """

    set_name: str
    name: str
    frames: Array
    truth: Array
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, stream: AnnotatedStream) -> EmbeddingStream:
        """Bring a stream to the model's rate."""
        assert stream.labels is not None  # of sets of motion
        frames = stream.canonical()
        at = np.minimum(np.round(np.arange(len(frames)) * stream.rate / MODEL_RATE), len(stream.labels) - 1)
        truth = stream.truth * MODEL_RATE / stream.rate
        return cls(stream.set_name, stream.name, frames, truth, stream.labels[at.astype(np.int64)])

    def segments(self) -> list[tuple[int, int]]:
        """(start, stop) of the true segments."""
        cuts = [round(best) for best in self.truth[:, 1]]
        return list(pairwise([0, *cuts, len(self.frames)]))


def figures(
    scene: EmbeddingStream, embedding: Array, settings: SegmenterSettings, metrics: ModuleType
) -> dict[str, float]:
    """Figures of one stream.

    ``bf1``, ``precision``, ``recall`` (0.5 s), ``mof``, ``ari``: of the segmenter, in per cent. ``mof_true_cuts``: of
    its labels when it is given the true boundaries. ``scatter``: variance within true segments as a share of all.
    ``uneven``: standard deviation, over segments, of the logarithm of that. ``settling_s``: seconds after a boundary
    until the embedding is nearer to the new action's mean than to the old one's, the median.
    """
    cuts, decided, labels = _segment(scene, embedding, settings)
    labelled = _evaluate(metrics, scene, [], [], _labels_between(embedding, scene, settings))
    return {
        **_evaluate(metrics, scene, cuts, decided, labels),
        "mof_true_cuts": labelled["mof"],
        **_why(embedding, scene),
    }


def towards_truth(embedding: Array, scene: EmbeddingStream, share: float) -> Array:
    """The embedding with every frame moved by `share` of the way to the mean of its true segment: not a method."""
    moved = embedding.copy()
    for start, stop in scene.segments():
        moved[start:stop] += share * (embedding[start:stop].mean(axis=0) - embedding[start:stop])
    return moved


def _segment(
    scene: EmbeddingStream, embedding: Array, settings: SegmenterSettings
) -> tuple[list[int], list[int], NDArray[np.int64]]:
    """Boundaries, when each was decided, and the label of every frame.

    As in the service, the embedding is one of three views that boundaries go by, and all that labels go by.
    """
    stream = Embedded(scene.frames.astype(np.float32), embedding.astype(np.float32), MODEL_RATE)
    ends = [(each, t) for t, each in decisions(stream, settings) if isinstance(each, SegmentEnd)]
    labels = np.zeros(len(embedding), dtype=np.int64)
    for end, _ in ends:
        labels[end.start : end.end] = end.label
    # The end of a segment is the boundary to the next, but for the last one.
    return [end.end for end, _ in ends[:-1]], [t for _, t in ends[:-1]], labels


def _evaluate(
    metrics: ModuleType, scene: EmbeddingStream, cuts: Sequence[int], decided: Sequence[int], labels: NDArray[np.int64]
) -> dict[str, float]:
    boundaries = [{"frame": cut, "emitted_frame": t} for cut, t in zip(cuts, decided, strict=True)]
    prediction = {"fps": MODEL_RATE, "n_frames": len(labels), "boundaries": boundaries, "labels": labels}
    result = metrics.evaluate(prediction, scene.truth, scene.labels)
    near = result["boundary"]["0.5s"]
    shares = {"bf1": near["f1"], "precision": near["precision"], "recall": near["recall"]}
    shares |= {"mof": result["mof"], "ari": result["ari"]}
    return {name: 100.0 * float(share) for name, share in shares.items()}


def _labels_between(embedding: Array, scene: EmbeddingStream, settings: SegmenterSettings) -> NDArray[np.int64]:
    """Labels of the true segments by the service's clusterer, at the scale that it would have."""
    rng = np.random.default_rng(0)
    one, other = rng.integers(len(embedding), size=(2, 4000))
    clusterer = PrototypeClusterer(np.sqrt(settings.same_action))
    clusterer.length_scale = float(np.sqrt(np.median(np.square(embedding[one] - embedding[other]).sum(axis=1)) / 2.0))
    labels = np.zeros(len(embedding), dtype=np.int64)
    for start, stop in scene.segments():
        labels[start:stop] = clusterer.learn(_inner(embedding, start, stop).mean(axis=0), float(stop - start))
    return labels


def _why(embedding: Array, scene: EmbeddingStream) -> dict[str, float]:
    spans = scene.segments()
    inner = [_inner(embedding, start, stop) for start, stop in spans]
    means = [each.mean(axis=0) for each in inner]
    within = np.array([each.var(axis=0).sum() for each in inner])
    weights = np.array([len(each) for each in inner])
    settling = []
    width = round(_SMOOTH_S * MODEL_RATE)
    for (_, cut), (_, stop), old, new in zip(spans, spans[1:], means, means[1:], strict=False):
        after = embedding[max(0, cut - 2 * width) : stop]
        smooth = np.cumsum(after, axis=0)
        smooth = (smooth[width:] - smooth[:-width]) / width
        nearer = np.square(smooth - new).sum(axis=1) < np.square(smooth - old).sum(axis=1)
        first = int(nearer.argmax()) if nearer.any() else len(nearer)
        settling.append((first + width // 2 - 2 * width) / MODEL_RATE)
    return {
        "scatter": 100.0 * float((within * weights).sum() / weights.sum() / embedding.var(axis=0).sum()),
        "uneven": float(np.log(np.maximum(within, 1e-9)).std()),
        "settling_s": float(np.median(settling)),
    }


def _inner(embedding: Array, start: int, stop: int) -> Array:
    trim = round(_TRIM_S * MODEL_RATE)
    return embedding[start + trim : stop - trim] if stop - start > 3 * trim else embedding[start:stop]


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every figure over streams."""
    return {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}
