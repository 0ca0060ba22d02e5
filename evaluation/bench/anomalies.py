"""What watching sources for anomalies costs by itself: time a frame, many streams at once, and a stream's state."""

from __future__ import annotations

import pickle
import statistics
import time
from dataclasses import asdict, dataclass

import numpy as np
from kineseg.motion import generate
from kineseg_core.anomalies import AnomalyBudget, WatchedSource
from kineseg_core.anomalies.warm_up import warm_up
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.watch import SentFrames, SourceWatch
from numpy.typing import NDArray
from rich.table import Table

from evaluation.alerts.joints import parents_of
from evaluation.bench.parts import Report

F64 = NDArray[np.float64]

STREAMS = 64
RATE_HZ, MODEL_RATE_HZ = 120.0, 30.0
CHUNK = 6
CHANNELS = 59
RECORDINGS, SECONDS, WARM_S = 8, 60.0, 32.0
ROUNDS = 5
_APART = 37
"""Chunks by which streams of the same recording are apart; it goes on for long enough that none begins it anew, which
would be a jump to be alarmed at."""


@dataclass(frozen=True)
class WatchCost:
    """Of generated motion, a chunk of all streams at once, on one thread, after all detectors have warmed up.

    Attributes:
        of: What is watched: a `body` or `channels`.
        units: How many joints or channels it has.
        streams: How many.
        us_per_frame: Median over rounds, microseconds of CPU time for each source frame and stream.
        least_us_per_frame: Of the quickest round.
        us_per_model_frame: The median for each frame of a model, of which there are fewer.
        state_bytes: Of a pickled watch at the end; the largest.
    """

    of: str
    units: int
    streams: int
    us_per_frame: float
    least_us_per_frame: float
    us_per_model_frame: float
    state_bytes: int


def measure() -> list[WatchCost]:
    """Runs it for a body and for channels."""
    warm_up()
    frames, names, parents = _bodies()
    body = WatchedSource.of_joints(names, parents, RATE_HZ)
    numbers = frames.reshape(*frames.shape[:2], -1)[..., :CHANNELS]
    channels = WatchedSource.of_channels([f"c{number}" for number in range(CHANNELS)], RATE_HZ)
    return [_cost("body", body, frames), _cost("channels", channels, numbers)]


def _cost(of: str, source: WatchedSource, frames: F64) -> WatchCost:
    watches = [SourceWatch(source, AnomalyBudget()) for _ in range(STREAMS)]
    chunks, warm = round(SECONDS * RATE_HZ) // CHUNK, round(WARM_S * RATE_HZ) // CHUNK
    costs = []
    for part in (range(warm), *np.array_split(np.arange(warm, chunks), ROUNDS)):
        began = time.process_time()
        for chunk in part:
            first = int(chunk) * CHUNK
            times_ns = np.array([round(frame * SECOND / RATE_HZ) for frame in range(first, first + CHUNK)])
            # Streams share recordings, each a different distance into them.
            places = [(i % len(frames), first + _APART * CHUNK * (i // len(frames))) for i in range(len(watches))]
            sent = [SentFrames(first, frames[of, at : at + CHUNK], times_ns) for of, at in places]
            SourceWatch.push_many(watches, sent)
        costs.append((time.process_time() - began) / (len(part) * CHUNK * len(watches)) * 1e6)
    later = costs[1:]
    largest = max(len(pickle.dumps(watch)) for watch in watches)
    median = statistics.median(later)
    return WatchCost(of, len(source.names), len(watches), median, min(later), median * RATE_HZ / MODEL_RATE_HZ, largest)


def _bodies() -> tuple[F64, tuple[str, ...], tuple[int, ...]]:
    """``(B, T, J, 3)`` generated bodies with the noise of a capture, names of their joints, and their parents."""
    duration_s = SECONDS + _APART * CHUNK * (STREAMS // RECORDINGS) / RATE_HZ
    recordings = [generate(seed, duration_s=duration_s, rate=RATE_HZ) for seed in range(RECORDINGS)]
    rng = np.random.default_rng(0)
    bodies = []
    for recording in recordings:
        assert recording.positions is not None  # of generated motion
        # The generator's 19 joints and a tip on the last of them.
        tip = recording.positions[:, -1:] + 0.1 + 0.002 * rng.standard_normal((len(recording.positions), 1, 3))
        bodies.append(np.concatenate([recording.positions, tip], axis=1))
    if not (np.ptp(bodies, axis=1) > 0.0).all():
        raise RuntimeError("a joint to be measured does not move: its cost says nothing")
    parents = parents_of(recordings[0])
    return np.stack(bodies), (*recordings[0].joints, "tip"), (*parents, len(parents) - 1)


def report(_: float) -> Report:
    """Measures, as rows and as a table."""
    costs = measure()
    title = f"watching alone, {RATE_HZ:g} frames/s, chunks of {CHUNK}, one thread"
    table = Table("of", "streams", "us a frame", "least", "us a model frame", "KiB of state", title=title)
    for cost in costs:
        table.add_row(
            f"{cost.of} of {cost.units}",
            str(cost.streams),
            f"{cost.us_per_frame:.2f}",
            f"{cost.least_us_per_frame:.2f}",
            f"{cost.us_per_model_frame:.1f}",
            f"{cost.state_bytes / 2**10:.0f}",
        )
    return [asdict(cost) for cost in costs], table
