"""What the segmenter costs: time a model frame, many streams in a table or in turn, and what a stream keeps there."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from kineseg.motion import canonical_pose, generate
from kineseg_core.boundary_network import BoundaryNetwork, ViewPlan, packaged_network
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.segmenter import Segmenter, SegmenterPlan, SegmenterSettings
from kineseg_core.segmenter.table import SegmenterTable, TablePlan
from numpy.typing import NDArray

F32 = NDArray[np.float32]

STREAMS = 64
CHANNELS = 15
SECONDS = 120.0
ROUNDS = 5


@dataclass(frozen=True)
class SegmenterCost:
    """Of generated motion, all streams a frame at a time, on one thread.

    Attributes:
        of: What is segmented: `motion`, by a trained model, or `signals`, by the built-in one.
        streams: How many.
        us_per_frame: Median over rounds, microseconds of CPU time for each model frame and stream, in a table.
        least_us_per_frame: Of the quickest round.
        alone_us_per_frame: The same of segmenters by themselves, one after the other.
        row_bytes: Of a stream in the table.
    """

    of: str
    streams: int
    us_per_frame: float
    least_us_per_frame: float
    alone_us_per_frame: float
    row_bytes: int


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
    network = BoundaryNetwork(packaged_network())
    frames, recordings = embeddings.shape[:2]
    streams = np.arange(STREAMS)

    def at(t: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Streams share recordings, each a different distance into them."""
        return (t + 37 * streams) % frames, streams % recordings

    plan = SegmenterPlan(SegmenterSettings(), views, packaged_network().operating_point)
    table = SegmenterTable(TablePlan.of(plan), STREAMS, STREAMS)
    seated = [table.seat(row, plan) for row in streams.tolist()]

    def step(t: int) -> None:
        some = at(t)
        shown = np.ascontiguousarray(embeddings[some][:, : views.embedding])
        follows = table.step(streams, given[some], shown, surprise[some], network)
        for i in follows if t else streams.tolist():
            seated[i].follow(follows.get(i, ()))

    alone = [Segmenter(plan) for _ in streams]

    def step_alone(t: int) -> None:
        some = at(t)
        own = [
            one.observe(frame, embedding, float(value))
            for one, frame, embedding, value in zip(alone, given[some], embeddings[some], surprise[some], strict=True)
        ]
        probabilities = network([look for looks in own for look in looks])
        first = 0
        for one, looks in zip(alone, own, strict=True):
            one.decide(probabilities[first : first + len(looks)])
            first += len(looks)

    together, by_themselves = _rounds(step, frames), _rounds(step_alone, frames)
    return SegmenterCost(
        of, STREAMS, statistics.median(together), min(together), statistics.median(by_themselves), table.row_bytes
    )


def _rounds(step: Callable[[int], None], frames: int) -> list[float]:
    """Microseconds a frame and stream, round by round; the first is left out: there is no history yet."""
    costs = []
    for part in np.array_split(np.arange(frames), ROUNDS):
        began = time.process_time()
        for t in part.tolist():
            step(t)
        costs.append((time.process_time() - began) / (len(part) * STREAMS) * 1e6)
    return costs[1:]


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
