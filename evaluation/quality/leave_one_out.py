"""Our service on each take with settings chosen on the others."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import kineseg
import numpy as np
from kineseg_core.segmenter import SegmentEnd, Segmenter, SegmenterSettings, SegmentStart, SegmentUpdate

from evaluation.quality.oracle import embeddings
from evaluation.quality.scores import Prediction, StreamScore, score_stream
from evaluation.quality.stream import AnnotatedStream

GRID: dict[str, tuple[float, ...]] = {"penalty": (0.9, 1.2, 1.6), "bandwidth": (0.35, 0.5, 0.7)}
"""Settings that were tuned with the takes in sight, and the values that each may take when chosen again."""


def leave_one_out(
    streams: Sequence[AnnotatedStream],
    results: Sequence[kineseg.Segmentation],
    settings: SegmenterSettings,
    latency_s: float,
) -> list[StreamScore]:
    """Each stream scored with the settings of `GRID` that are best, by mean bF1, on all the others.

    The service's segmenter runs in this process on the embeddings that the server computed.
    """
    choices = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]
    table = [
        [score_stream(stream, _resegmented(stream, result, _with(settings, choice), latency_s))
         for stream, result in zip(streams, results, strict=True)]
        for choice in choices
    ]  # fmt: skip
    bf1 = np.array([[score.shares["bf1"] for score in row] for row in table])
    scores = []
    for i in range(len(streams)):
        others = np.delete(bf1, i, axis=1).mean(axis=1)
        scores.append(table[int(np.argmax(others))][i])
    return scores


def _resegmented(
    stream: AnnotatedStream, result: kineseg.Segmentation, settings: SegmenterSettings, latency_s: float
) -> Prediction:
    embedding, rate = embeddings(result)
    segmenter = Segmenter(settings, embedding.shape[1], rate, latency_s)
    emitted: dict[int, tuple[int, int]] = {}
    labels = np.zeros(len(embedding), dtype=np.int64)
    for now in range(len(embedding) + 1):
        ended = now == len(embedding)
        decisions = segmenter.finish() if ended else segmenter.update(embedding[now], 1.0)
        for decision in decisions:
            match decision:
                case SegmentStart(confirmed=True) | SegmentUpdate(confirmed=True):
                    emitted.setdefault(decision.segment_id, (decision.index, min(now, len(embedding) - 1)))
                case SegmentEnd():
                    labels[decision.start : decision.end] = decision.label
    scale = stream.rate / rate
    at = np.minimum(np.arange(stream.n_frames) / scale, len(labels) - 1).astype(np.int64)
    pairs = [(round(frame * scale), min(round(when * scale), stream.n_frames - 1)) for frame, when in emitted.values()]
    return Prediction.of(pairs, stream.n_frames, labels[at])


def _with(settings: SegmenterSettings, choice: dict[str, float]) -> SegmenterSettings:
    return dataclasses.replace(settings, **choice)  # type: ignore[arg-type]  # names and kinds as in GRID
