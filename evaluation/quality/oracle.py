"""Our labels with the true boundaries: what is lost by labels alone."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import kineseg
import numpy as np
from kineseg_core.blocks import BLOCK_S
from kineseg_core.errors import BadBundle
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.segmenter import SegmenterSettings
from kineseg_core.segmenter.labels import make_labeller, segment_point
from kineseg_core.segmenter.segments import CORRELATED_S
from numpy.typing import NDArray

from evaluation.quality.errors import QualityError
from evaluation.quality.scores import Prediction
from evaluation.quality.stream import MODEL_RATE, AnnotatedStream

HORIZON_S = 60.0  # of a longer segment the latest part speaks for all of it
_PAIRS = 2000  # of blocks, for the median squared distance


def shipped_settings(bundle: Path | None) -> SegmenterSettings:
    """The segmenter's settings as the server uses them with `bundle` (the packaged one unless given)."""
    path = bundle or packaged_bundle()
    if path is None:
        raise QualityError("the service has no packaged bundle; give one with --bundle")
    try:
        calibration = load_bundle(path).manifest.calibration
    except BadBundle as error:
        raise QualityError(str(error)) from error
    return SegmenterSettings.from_bundle(
        dict(calibration.segmenter),
        log_surprise_median=calibration.log_surprise_median,
        log_surprise_scale=calibration.log_surprise_scale,
    )


def our_labels_on_true_boundaries(
    stream: AnnotatedStream, result: kineseg.Segmentation, settings: SegmenterSettings
) -> Prediction:
    """The true boundaries, emitted at once, with the labels that our clusterer gives to the segments between them."""
    embedding, rate = embeddings(result)
    size = max(1, round(BLOCK_S * rate))
    blocks = embedding[: len(embedding) // size * size].reshape(-1, size, embedding.shape[1]).mean(axis=1)
    trim, reach, horizon = (round(seconds / BLOCK_S) for seconds in (settings.trim_s, CORRELATED_S, HORIZON_S))
    labeller = make_labeller(
        "prototypes", same_action=settings.same_action, max_labels=settings.max_labels, dim=blocks.shape[1]
    )
    cuts = stream.truth[:, 1].astype(int).tolist()
    labels = np.empty(stream.n_frames, dtype=np.int64)
    block_frames = stream.rate * size / rate
    for start, end in itertools.pairwise([0, *cuts, stream.n_frames]):
        first = min(round(start / block_frames), len(blocks) - 1)
        stop = min(max(first + 1, round(end / block_frames)), len(blocks))
        point = segment_point(blocks[max(first, stop - horizon) : stop], trim, reach, stop - first)
        labeller.length_scale = math.sqrt(_half_median_squared_distance(blocks[max(0, stop - horizon) : max(2, stop)]))
        labels[start:end], _ = labeller.learn(point)
    return Prediction.of([(cut, cut) for cut in cuts], stream.n_frames, labels)


def embeddings(result: kineseg.Segmentation) -> tuple[NDArray[np.float32], float]:
    """``(T', E)`` what the server computed for each frame of the model's rate, and that rate."""
    rows = result.frame_results
    if not rows:
        raise QualityError("the server sent no results per frame")
    return np.stack([row.embedding for row in rows]), MODEL_RATE


def _half_median_squared_distance(past: NDArray[np.float32]) -> float:
    one, other = np.random.default_rng(0).integers(len(past), size=(2, _PAIRS))
    apart = one != other
    return float(np.median(np.square(past[one[apart]] - past[other[apart]]).sum(axis=1))) / 2.0
