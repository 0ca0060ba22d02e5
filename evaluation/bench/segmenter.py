"""What the segmenter costs by itself: time a model frame, many streams in turn, and the state that a stream keeps."""

from __future__ import annotations

import pickle
import statistics
import time
from dataclasses import dataclass

import numpy as np
from kineseg.motion import canonical_pose, generate
from kineseg_core.boundary_network import BoundaryNetwork, ViewPlan, packaged_network
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.segmenter import Segmenter, SegmenterSettings
from numpy.typing import NDArray

F32 = NDArray[np.float32]

STREAMS = 64
CHANNELS = 15
SECONDS = 120.0
ROUNDS = 5


@dataclass(frozen=True)
class SegmenterCost:
    """Of generated motion, all streams a frame in turn, on one thread.

    Attributes:
        of: What is segmented: `motion`, by a trained model, or `signals`, by the built-in one.
        streams: How many.
        us_per_frame: Median over rounds, microseconds of CPU time for each model frame and stream.
        least_us_per_frame: Of the quickest round.
        state_bytes: Of a pickled segmenter that has seen two minutes; the largest.
    """

    of: str
    streams: int
    us_per_frame: float
    least_us_per_frame: float
    state_bytes: int


def measure() -> list[SegmenterCost]:
    """Runs it for both kinds."""
    poses, embeddings, surprise, rate = _embedded()
    motion = ViewPlan.of_model(poses.shape[2], embeddings.shape[2], rate)
    # The embedding is a signal like any other, of as many channels as a suit of inertial units has.
    signals = ViewPlan.of_signal(CHANNELS, 0, rate)
    return [
        _cost("motion", motion, poses, embeddings, surprise),
        _cost("signals", signals, embeddings[..., :CHANNELS], embeddings, surprise),
    ]


def _cost(of: str, views: ViewPlan, given: F32, embeddings: F32, surprise: F32) -> SegmenterCost:
    file = packaged_network()
    network = BoundaryNetwork(file)
    segmenters = [Segmenter(SegmenterSettings(), views, file.operating_point) for _ in range(STREAMS)]
    frames, recordings = embeddings.shape[:2]
    costs = []
    for part in np.array_split(np.arange(frames), ROUNDS):
        began = time.process_time()
        for t in part:
            looks = []
            for i, segmenter in enumerate(segmenters):
                # Streams share recordings, each a different distance into them.
                at = (t + 37 * i) % frames, i % recordings
                looks.append(segmenter.observe(given[at], embeddings[at], float(surprise[at])))
            probabilities = network([look for own in looks for look in own])
            first = 0
            for segmenter, own in zip(segmenters, looks, strict=True):
                segmenter.decide(probabilities[first : first + len(own)])
                first += len(own)
        costs.append((time.process_time() - began) / (len(part) * len(segmenters)) * 1e6)
    # The first round is cheaper than what follows: there is no history yet.
    later = costs[1:]
    largest = max(len(pickle.dumps(segmenter)) for segmenter in segmenters)
    return SegmenterCost(of, len(segmenters), statistics.median(later), min(later), largest)


def _embedded() -> tuple[F32, F32, F32, float]:
    """Poses (T, B, C), embedding (T, B, E) and surprise (T, B) of B streams of generated motion; frames a second."""
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
    return frames, *embedded, rate
