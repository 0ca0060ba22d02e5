"""What the segmenter costs: time a model frame, many streams in a table or in turn, and what a stream keeps there."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from kineseg.motion import canonical_pose, generate
from kineseg_core.boundary_network import BoundaryNetwork, ViewPlan, packaged_network
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.segmenter import Segmenter, SegmenterPlan, SegmenterSettings
from kineseg_core.segmenter.table import SegmenterTable, TablePlan
from numpy.typing import NDArray
from rich.table import Table

from evaluation.bench.parts import Report

F32 = NDArray[np.float32]

STREAMS = 64
CHANNELS = 15
SECONDS = 120.0
ROUNDS = 5
MOST = 256
"""Streams of one step, as of the server."""


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
    poses, embeddings, surprise, rate = embedded()
    motion = ViewPlan.of_model(poses.shape[2], embeddings.shape[2], rate)
    # The embedding is a signal like any other, of as many channels as a suit of inertial units has.
    signals = ViewPlan.of_signal(CHANNELS, 0, rate)
    return [
        _cost("motion", motion, poses, embeddings, surprise),
        _cost("signals", signals, embeddings[..., :CHANNELS], embeddings, surprise),
    ]


def _cost(of: str, views: ViewPlan, given: F32, embeddings: F32, surprise: F32) -> SegmenterCost:
    network = BoundaryNetwork(packaged_network())
    frames = len(embeddings)
    plan = SegmenterPlan(SegmenterSettings(), views, packaged_network().operating_point)
    table = SegmenterTable(TablePlan.of(plan), STREAMS, STREAMS)
    step = in_table(table, plan, given, embeddings, surprise, STREAMS)
    streams = np.arange(STREAMS)

    alone = [Segmenter(plan) for _ in streams]

    def step_alone(t: int) -> None:
        some = _at(t, streams, embeddings)
        for one, frame, embedding, value in zip(alone, given[some], embeddings[some], surprise[some], strict=True):
            one.step(frame, embedding, float(value), network)

    together, by_themselves = rounds(step, frames, STREAMS), rounds(step_alone, frames, STREAMS)
    return SegmenterCost(
        of, STREAMS, statistics.median(together), min(together), statistics.median(by_themselves), table.row_bytes
    )


def in_table(
    table: SegmenterTable, plan: SegmenterPlan, given: F32, embeddings: F32, surprise: F32, count: int
) -> Callable[[int], None]:
    """What takes the frames of a moment of so many streams, which have rows of a table."""
    network = BoundaryNetwork(packaged_network())
    streams = np.arange(count)
    seated = [table.seat(row, plan) for row in streams.tolist()]

    def step(t: int) -> None:
        some = _at(t, streams, embeddings)
        shown = np.ascontiguousarray(embeddings[some][:, : plan.views.embedding])
        frames, surprises = given[some], surprise[some]
        for first in range(0, count, MOST):
            rows = slice(first, first + MOST)
            follows = table.step(streams[rows], frames[rows], shown[rows], surprises[rows], network)
            for i in follows if t else range(len(streams[rows])):
                seated[first + i].follow(follows.get(i, ()))

    return step


def _at(t: int, streams: NDArray[np.int64], embeddings: F32) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Streams share recordings, each a different distance into them."""
    frames, recordings = embeddings.shape[:2]
    return (t + 37 * streams) % frames, streams % recordings


def rounds(step: Callable[[int], None], frames: int, streams: int) -> list[float]:
    """Microseconds a frame and stream, round by round; the first is left out: there is no history yet."""
    costs = []
    for part in np.array_split(np.arange(frames), ROUNDS):
        began = time.process_time()
        for t in part.tolist():
            step(t)
        costs.append((time.process_time() - began) / (len(part) * streams) * 1e6)
    return costs[1:]


def embedded() -> tuple[F32, F32, F32, float]:
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


def report(_: float) -> Report:
    """Measures, as rows and as a table."""
    costs = measure()
    columns = ("of", "streams", "us a model frame", "least", "each by itself", "KiB of state")
    table = Table(*columns, title="segmenter in a table, one thread")
    for cost in costs:
        table.add_row(
            cost.of,
            str(cost.streams),
            f"{cost.us_per_frame:.0f}",
            f"{cost.least_us_per_frame:.0f}",
            f"{cost.alone_us_per_frame:.0f}",
            f"{cost.row_bytes / 2**10:.0f}",
        )
    return [asdict(cost) for cost in costs], table
