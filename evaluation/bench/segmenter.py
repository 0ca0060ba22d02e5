"""What the segmenter costs by itself: time a model frame, many streams in turn, and the state that a stream keeps."""

from __future__ import annotations

import pickle
import statistics
import time
from dataclasses import dataclass

import numpy as np
from kineseg.motion import canonical_pose, generate
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.segmenter import Segmenter, SegmenterSettings

STREAMS = 64
SECONDS = 120.0
ROUNDS = 5


@dataclass(frozen=True)
class SegmenterCost:
    """Of generated motion, all streams a frame in turn, on one thread.

    Attributes:
        streams: How many.
        horizon_s: Seconds that a stream remembers.
        us_per_frame: Median over rounds, microseconds of CPU time for each model frame and stream.
        least_us_per_frame: Of the quickest round.
        state_bytes: Of a pickled segmenter that has seen two minutes; the largest.
    """

    streams: int
    horizon_s: float
    us_per_frame: float
    least_us_per_frame: float
    state_bytes: int


def measure() -> SegmenterCost:
    """Runs it."""
    embeddings, surprise, rate = _embedded()
    settings = SegmenterSettings()
    segmenters = [Segmenter(settings, embeddings.shape[2], rate) for _ in range(STREAMS)]
    frames = len(embeddings)
    costs = []
    for part in np.array_split(np.arange(frames), ROUNDS):
        began = time.process_time()
        for t in part:
            for i, segmenter in enumerate(segmenters):
                # Streams share recordings, each a different distance into them.
                at = (t + 37 * i) % frames
                segmenter.update(embeddings[at, i % embeddings.shape[1]], float(surprise[at, i % embeddings.shape[1]]))
        costs.append((time.process_time() - began) / (len(part) * STREAMS) * 1e6)
    # The first round is cheaper than what follows: there is no history yet.
    later = costs[1:]
    largest = max(len(pickle.dumps(segmenter)) for segmenter in segmenters)
    return SegmenterCost(STREAMS, settings.horizon_s, statistics.median(later), min(later), largest)


def _embedded() -> tuple[np.ndarray, np.ndarray, float]:
    """Embedding (T, B, E) and surprise (T, B) of B streams of generated motion, and the model's frames a second."""
    path = packaged_bundle()
    assert path is not None  # it comes with the package
    bundle = load_bundle(path)
    rate = bundle.frame_rate_hz
    frames = np.stack(
        [canonical_pose(generate(seed, duration_s=SECONDS, rate=rate)).frames for seed in range(8)], axis=1
    ).astype(np.float32)
    decoder = Decoder(bundle, "cpu", slots=8, max_batch=8)
    slots = np.array([decoder.acquire().slot for _ in range(8)])
    embeddings, surprise = [], []
    for batch in frames:
        stepped = decoder.step(slots, batch)
        # What a step gives are views of buffers that the next one overwrites.
        embeddings.append(stepped.embedding.copy())
        surprise.append(stepped.surprise.copy())
    embedded = np.stack(embeddings), np.stack(surprise)
    for values in embedded:
        if not (values.std(axis=0) > 0.0).all():
            raise RuntimeError("a stream to be measured does not move: its cost says nothing")
    return *embedded, rate
