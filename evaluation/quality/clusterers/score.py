"""How well a clusterer labels the segments of a scene."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType

import numpy as np
from kineseg_core.blocks import BLOCK_S
from kineseg_core.segmenter import PrototypeClusterer, SegmenterSettings
from kineseg_core.segmenter.labels import CLUSTERERS, Labeller, SegmentPoint, make_labeller, segment_point
from kineseg_core.segmenter.segments import CORRELATED_S
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from evaluation.quality.clusterers.scenes import ClusteringStream

Segments = Sequence[tuple[int, int]]
HORIZON_S = 60.0  # of a longer segment the latest part speaks for all of it
WITHOUT_ERRORS = (0.1, 0.2, 0.3)  # distances for our own method without its allowance for errors
GiveLabels = Callable[[ClusteringStream, Segments], NDArray[np.int64]]


@dataclass(frozen=True)
class LabelScore:
    """In per cent, and how many labels there were for each true action."""

    mof: float
    ari: float
    labels_per_action: float


def contenders(settings: SegmenterSettings) -> dict[str, GiveLabels]:
    """What gives labels, by name for the table: all clusterers between a ceiling and two floors."""
    by_name: dict[str, GiveLabels] = {"the true action of most of the segment (oracle)": majority}
    for name in CLUSTERERS:
        by_name[name] = partial(clustered, name=name, settings=settings)
    for same_action in WITHOUT_ERRORS:
        by_name[f"prototypes within {same_action:g}, errors not known"] = partial(
            without_errors, settings=replace(settings, same_action=same_action)
        )
    return by_name | {"one label": one_label, "a label for each segment": all_new}


def score(scene: ClusteringStream, segments: Segments, labels: NDArray[np.int64], metrics: ModuleType) -> LabelScore:
    """Scores `labels` (K,), one for each segment, frame by frame."""
    frames = np.zeros(len(scene.labels), dtype=np.int64)
    for (start, end), label in zip(segments, labels, strict=True):
        frames[start:end] = label
    return LabelScore(
        mof=100.0 * float((metrics.hungarian_map(scene.labels, frames) == scene.labels).mean()),
        ari=100.0 * float(adjusted_rand_score(scene.labels, frames)),
        labels_per_action=len(np.unique(labels)) / len(np.unique(scene.labels)),
    )


def clustered(scene: ClusteringStream, segments: Segments, name: str, settings: SegmenterSettings) -> NDArray[np.int64]:
    """Labels by a clusterer, segment after segment as the service does it; mergers apply to what came before."""
    labeller: Labeller = make_labeller(
        name, same_action=settings.same_action, max_labels=settings.max_labels, dim=scene.blocks.shape[1]
    )
    labels: list[int] = []
    for point, scale in _points(scene, segments, settings):
        labeller.length_scale = scale
        labels.append(labeller.learn(point)[0])
        labels = _merged(labels, labeller.merged)
    return np.array(labels, dtype=np.int64)


def without_errors(
    scene: ClusteringStream,
    segments: Segments,
    settings: SegmenterSettings,
) -> NDArray[np.int64]:
    """Labels by a `PrototypeClusterer` without errors of the means."""
    clusterer = PrototypeClusterer(math.sqrt(settings.same_action), settings.max_labels)
    labels: list[int] = []
    for point, scale in _points(scene, segments, settings):
        clusterer.length_scale = scale
        labels.append(clusterer.learn(point.mean, point.length))
        labels = _merged(labels, clusterer.merged)
    return np.array(labels, dtype=np.int64)


def _points(
    scene: ClusteringStream, segments: Segments, settings: SegmenterSettings
) -> Iterator[tuple[SegmentPoint, float]]:
    """The point of each segment, and the stream's length scale at its end."""
    trim, reach, horizon = (round(seconds / BLOCK_S) for seconds in (settings.trim_s, CORRELATED_S, HORIZON_S))
    for start, end in segments:
        blocks = scene.blocks[scene.within(start, end)]
        point = segment_point(blocks[-horizon:], trim, reach, len(blocks))
        yield point, math.sqrt(scene.scale(end, horizon))


def _merged(labels: list[int], pairs: Sequence[tuple[int, int]]) -> list[int]:
    for gone, into in pairs:
        labels = [into if label == gone else label for label in labels]
    return labels


def majority(scene: ClusteringStream, segments: Segments) -> NDArray[np.int64]:
    """The true action of most of each segment."""
    return np.array([np.bincount(scene.labels[start:end]).argmax() for start, end in segments], dtype=np.int64)


def one_label(_: ClusteringStream, segments: Segments) -> NDArray[np.int64]:
    """Everything is one action."""
    return np.zeros(len(segments), dtype=np.int64)


def all_new(_: ClusteringStream, segments: Segments) -> NDArray[np.int64]:
    """No action ever comes back."""
    return np.arange(len(segments))
