"""Streams without faults to fit priors on: real takes and clips, generated motion with noise, sensors and processes.

Real ones are the annotated takes 01, 03 and 05 of subject 86 and the clips of the CMU database, and the recordings of
the gesture phase set (Madeo et al. 2013, CC BY 4.0) where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from kineseg.motion import MotionError, Recording, generate, read
from kineseg.motion.joint_mapping import map_joints
from kineseg_core.anomalies import WatchedSource
from numpy.typing import NDArray

from kineseg_training.data.action_clips import action_clips
from kineseg_training.data.assemble import assemble
from kineseg_training.default.boundary_network.streams.annotated import READERS
from kineseg_training.default.boundary_network.streams.library import load_library
from kineseg_training.default.boundary_network.streams.make import make_stream
from kineseg_training.errors import DataError

Array = NDArray[np.float64]

_TAKES = ("01", "03", "05")
_TAKE_RATE_HZ = 120.0
_RATES_HZ = (30.0, 60.0)
_FIRST_SEED = 9000
_SECONDS = 120.0
_WHITE_M = (0.0, 0.0002, 0.0007, 0.002, 0.008)
"""Standard deviations of noise, metres."""
_TRACKED_M = (0.004, 0.012, 0.03)
_MEMORY_S = (0.05, 0.6)
"""Of the noise of a tracker, and of its bursts."""


@dataclass(frozen=True, eq=False)
class FaultlessStream:
    """A stream without faults.

    Attributes:
        name: Where it is from.
        source: What its frames are.
        frames: ``(T, J, 3)`` or ``(T, C)``.
    """

    name: str
    source: WatchedSource
    frames: Array


def faultless_streams(cmu: Path, gestures: Path | None, made: int) -> Iterator[FaultlessStream]:
    """All of them.

    Args:
        cmu: Folder of the CMU clips; with ``subject_86``, of the takes, too.
        gestures: Folder of the gesture phase set; None: without it.
        made: How many are made of each kind that is.

    Raises:
        DataError: What is there cannot be read.
    """
    for name in _TAKES:
        path = cmu / "subject_86" / f"{name}.mat"
        if path.is_file():
            for stream in at_rates(_read(path, _TAKE_RATE_HZ)):
                yield stream
                yield with_fewer_joints(stream)
    clips = action_clips(cmu)
    for seed in range(_FIRST_SEED, _FIRST_SEED + made):
        (stream,) = at_rates(assemble(clips, seed, name=f"assembled {seed}").recording, _RATES_HZ[:1])
        yield stream
        yield with_fewer_joints(stream)
        yield from _generated(seed)
    yield from _of_channels(cmu, made)
    for path in sorted(gestures.glob("*.npz")) if gestures else ():
        recording = _read(path, None)
        source = WatchedSource.of_channels(recording.channels, recording.rate)
        yield FaultlessStream(recording.name, source, np.asarray(recording.frames, np.float64))


def at_rates(recording: Recording, rates_hz: tuple[float, ...] = _RATES_HZ) -> Iterator[FaultlessStream]:
    """A recording's positions, every n-th frame."""
    assert recording.skeleton is not None
    assert recording.positions is not None
    for rate_hz in rates_hz:
        step = max(1, round(recording.rate / rate_hz))
        source = WatchedSource.of_joints(recording.joints, recording.skeleton.parents, recording.rate / step)
        yield FaultlessStream(f"{recording.name} at {rate_hz:g}", source, np.array(recording.positions[::step]))


def with_fewer_joints(stream: FaultlessStream) -> FaultlessStream:
    """With the canonical joints only, as trackers give them: a bone that spans several is not of one length."""
    names, parents = stream.source.names, stream.source.parents or ()
    kept = sorted(set(map_joints(names).values()))
    above = []
    for joint in kept:
        parent = parents[joint]
        while parent >= 0 and parent not in kept:
            parent = parents[parent]
        above.append(kept.index(parent) if parent >= 0 else -1)
    source = WatchedSource.of_joints([names[joint] for joint in kept], above, stream.source.rate_hz)
    return FaultlessStream(f"{stream.name}, fewer joints", source, stream.frames[:, kept])


def _generated(seed: int) -> Iterator[FaultlessStream]:
    rng = np.random.default_rng(seed)
    (clean,) = at_rates(generate(seed, _SECONDS, 30.0, noise=0.0), _RATES_HZ[:1])
    shape = clean.frames.shape
    for size in _WHITE_M:
        yield FaultlessStream(
            f"{clean.name}, white noise", clean.source, clean.frames + size * rng.standard_normal(shape)
        )
    for size in _TRACKED_M:
        noise = tracker_noise(rng, shape, clean.source.rate_hz)
        stream = FaultlessStream(f"{clean.name}, tracked", clean.source, clean.frames + size * noise)
        yield stream
        yield _at_half_rate(stream)


def _at_half_rate(stream: FaultlessStream) -> FaultlessStream:
    source = replace(stream.source, rate_hz=stream.source.rate_hz / 2.0)
    return FaultlessStream(f"{stream.name}, half the rate", source, stream.frames[::2])


def tracker_noise(rng: np.random.Generator, shape: tuple[int, ...], rate_hz: float) -> Array:
    """Noise as a tracker without markers has it: correlated over time, and for a while much larger at one joint."""
    frames, joints, _ = shape
    noise = _correlated(rng, shape, _MEMORY_S[0] * rate_hz)
    trouble = _correlated(rng, (frames, joints), _MEMORY_S[1] * rate_hz)
    return np.asarray(noise * np.exp(0.9 * trouble)[:, :, None])


def _correlated(rng: np.random.Generator, shape: tuple[int, ...], memory: float) -> Array:
    """First-order autoregressive noise of variance 1."""
    kept = float(np.exp(-1.0 / memory))
    noise = rng.standard_normal(shape)
    for t in range(1, len(noise)):
        noise[t] = kept * noise[t - 1] + np.sqrt(1.0 - kept**2) * noise[t]
    return noise


def _of_channels(cmu: Path, made: int) -> Iterator[FaultlessStream]:
    library = load_library(cmu, frozenset(READERS))
    number = 0
    for _ in range(6 * made):
        stream = make_stream(library, _FIRST_SEED, number)
        number += 1
        if stream.canonical or (stream.kind == "idle" and len(stream.truth.boundaries)):
            continue  # bodies are watched on their joints; of one in which something happens once, that is to be found
        names = tuple(f"channel {c + 1}" for c in range(stream.frames.shape[1]))
        source = WatchedSource.of_channels(names, stream.rate)
        yield FaultlessStream(f"{stream.kind} {number}", source, stream.frames)


def _read(path: Path, rate: float | None) -> Recording:
    try:
        return read(path, rate=rate) if rate else read(path)
    except MotionError as error:
        raise DataError(f"{path}: {error}") from error
