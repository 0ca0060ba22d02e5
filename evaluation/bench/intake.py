"""What the intake costs by itself: from a chunk's bytes to frames of the model's rate, many streams in turn."""

from __future__ import annotations

import gc
import itertools
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from kineseg.motion import CANONICAL_CHANNELS, Joints, Recording, canonical_pose, generate
from kineseg_core.intake.clock import SECOND
from kineseg_core.intake.intake import Intake, IntakeLimits
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.source_pose import canonical_source
from kineseg_core.intake.taken import ChunkEnd
from numpy.typing import NDArray
from rich.table import Table
from scipy.spatial.transform import Rotation

from evaluation.bench.parts import Report

F32 = NDArray[np.float32]

RATE, MODEL_RATE = 120.0, 30.0
CHUNK = 6
STREAMS = 64
SECONDS = 20.0
ROUNDS = 9
# Until then all that a stream keeps is there.
_WARM_CHUNKS = 20
_LIMITS = IntakeLimits()
# An hour and a half after a device's start, as capture times are.
_FIRST_CAPTURE_NS = 5400 * SECOND


@dataclass(frozen=True)
class IntakeCost:
    """Of generated motion at 120 frames a second, all streams a chunk of six frames in turn, on one thread.

    Attributes:
        of: What is sent.
        numbers: How many numbers a frame has.
        us_per_chunk: Median over rounds, microseconds of CPU time for a chunk, canonical pose included.
        least_us_per_chunk: Of the quickest round.
        bytes_per_stream: What a stream keeps between two chunks, on the average.
    """

    of: str
    numbers: int
    us_per_chunk: float
    least_us_per_chunk: float
    bytes_per_stream: float


@dataclass(frozen=True)
class _Source:
    """Streams that send one kind of frames.

    Attributes:
        motions: ``(T, W)`` what each stream sends.
        opened: Makes the intake of one of them.
        timed: They send capture times, too.
    """

    motions: Sequence[F32]
    opened: Callable[[], Intake]
    timed: bool = False


def measure() -> list[IntakeCost]:
    """Runs it for channels as the model has them, in another order, with capture times, and for joints."""
    return [_cost(of, source) for of, source in _sources().items()]


def _sources() -> dict[str, _Source]:
    recordings = [generate(seed, duration_s=SECONDS, rate=RATE) for seed in range(STREAMS)]
    poses = [canonical_pose(recording).frames.astype(np.float32) for recording in recordings]
    order = np.random.default_rng(0).permutation(len(CANONICAL_CHANNELS))
    sent = [np.ascontiguousarray(pose[:, np.argsort(order)]) for pose in poses]
    joints = Joints.of(recordings[0])
    positions = [_positions(recording) for recording in recordings]
    turning = Joints(
        names=joints.names, parents=joints.parents, offsets=joints.offsets, up=joints.up, rotations="quaternions"
    )
    return {
        "channels": _Source(poses, lambda: _of_channels(None)),
        "reordered": _Source(sent, lambda: _of_channels(order.tolist())),
        "capture times": _Source(poses, lambda: _of_channels(None), timed=True),
        "positions": _Source(positions, lambda: _of_joints(joints)),
        "quaternions": _Source([_turns(turning, seed) for seed in range(STREAMS)], lambda: _of_joints(turning)),
    }


def _of_channels(order: Sequence[int] | None) -> Intake:
    return Intake(CANONICAL_CHANNELS, order, RATE, MODEL_RATE, _LIMITS)


def _of_joints(joints: Joints) -> Intake:
    return Intake(CANONICAL_CHANNELS, None, RATE, MODEL_RATE, _LIMITS, pose=canonical_source(joints, RATE))


def _positions(recording: Recording) -> F32:
    assert recording.positions is not None  # generated motion has them
    return recording.positions.astype(np.float32).reshape(len(recording.positions), -1)


def _turns(joints: Joints, seed: int) -> F32:
    """A body that travels and sways in every joint."""
    random, t = np.random.default_rng(seed), np.arange(round(SECONDS * RATE))[:, None] / RATE
    root = np.concatenate([t, 1.0 + 0.1 * np.sin(t), 0.2 * t], axis=1)
    count = len(joints.names)
    sway = random.uniform(0.1, 0.7, (count, 3)) * np.sin(t[..., None] * random.uniform(1.0, 5.0, (count, 3)))
    turns = Rotation.from_rotvec(sway.reshape(-1, 3)).as_quat().reshape(len(t), count, 4)
    return joints.rows(root, turns).astype(np.float32)


def _cost(of: str, source: _Source) -> IntakeCost:
    chunks = [_chunks(motion) for motion in source.motions]
    count = len(chunks[0])
    times = _capture_times(count) if source.timed else [()] * count
    _frames_of(source.opened(), 0, chunks[0][0], times[0])  # kernels are compiled
    tracemalloc.start()
    before = _traced()
    intakes = [source.opened() for _ in chunks]
    made = 0
    for at in range(_WARM_CHUNKS):
        for intake, own in zip(intakes, chunks, strict=True):
            made += _frames_of(intake, at, own[at], times[at])
    kept = (_traced() - before) / len(intakes)
    tracemalloc.stop()
    costs = []
    for part in np.array_split(np.arange(_WARM_CHUNKS, count), ROUNDS):
        began = time.process_time()
        for at in part.tolist():
            first, stamps = CHUNK * at, times[at]
            for intake, own in zip(intakes, chunks, strict=True):
                for item in intake.take(first, own[at], stamps):
                    last = item
        costs.append((time.process_time() - began) / (len(part) * len(intakes)) * 1e6)
    if made != len(intakes) * int((_WARM_CHUNKS * CHUNK - 1) * MODEL_RATE / RATE) or last != ChunkEnd(CHUNK * count):
        raise RuntimeError(f"not all frames of {of} have come out: the cost says nothing")
    return IntakeCost(of, source.motions[0].shape[1], statistics.median(costs), min(costs), kept)


def _chunks(motion: F32) -> list[bytes]:
    edges = range(0, len(motion) + 1, CHUNK)
    return [motion[begin:end].tobytes() for begin, end in itertools.pairwise(edges)]


def _capture_times(chunks: int) -> list[list[int]]:
    """Of a clock whose stamps are off by up to a tenth of a period."""
    period = SECOND / RATE
    off = np.random.default_rng(0).uniform(-0.1, 0.1, chunks * CHUNK) * period
    stamps = _FIRST_CAPTURE_NS + np.rint(np.arange(chunks * CHUNK) * period + off).astype(np.int64)
    times: list[list[int]] = stamps.reshape(chunks, CHUNK).tolist()
    return times


def _frames_of(intake: Intake, at: int, data: bytes, times: Sequence[int]) -> int:
    """Takes a chunk; gives how many frames of the model have come out."""
    made = 0
    for item in intake.take(CHUNK * at, data, times):
        if type(item) is ModelFrames:
            made += len(item.decided)
    return made


def _traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def report(_: float) -> Report:
    """Measures, as rows and as a table."""
    costs = measure()
    title = f"intake alone, one thread: {STREAMS} streams, chunks of {CHUNK} frames, {RATE:g} a second"
    table = Table("of", "numbers a frame", "us a chunk", "least", "bytes a stream", title=title)
    for cost in costs:
        table.add_row(
            cost.of,
            str(cost.numbers),
            f"{cost.us_per_chunk:.1f}",
            f"{cost.least_us_per_chunk:.1f}",
            f"{cost.bytes_per_stream:,.0f}",
        )
    return [asdict(cost) for cost in costs], table
