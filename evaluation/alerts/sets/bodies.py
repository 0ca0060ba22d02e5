"""Bodies, at the rate of a camera: captured, recorded by a depth camera, and generated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from kineseg.motion import Recording, generate
from numpy.typing import NDArray

from evaluation.alerts.joints import parents_of
from evaluation.alerts.stream import AlertStream
from evaluation.quality.sets import bvh, recorded, takes
from evaluation.quality.stream import AnnotatedStream

RATE_HZ = 30.0
REPORTED_TAKES = ("07", "09", "11")  # the others are prior material
_BVH_SEEDS, _BVH_NOISE = 2, 3e-4  # half a millimetre on a body of 1.7 m
_GENERATED, _GENERATED_S = 8, 60.0
GENERATED_NOISE_M = 0.002


def cmu(seed: int) -> list[AlertStream]:
    """The takes of subject 86 that nothing was fitted on."""
    return [from_annotated("cmu", each) for each in takes.load() if each.name in REPORTED_TAKES]


def mocap6(seed: int) -> list[AlertStream]:
    """Exercises of another person."""
    return [from_annotated("mocap6", each) for each in recorded.load("mocap6")]


def bandai(seed: int) -> list[AlertStream]:
    """Streams assembled from the BVH clips, in which clips come back: each time with noise of its own, or they would
    be what a loop is."""
    made = []
    for number, each in enumerate(bvh.load(tuple(range(_BVH_SEEDS * seed, _BVH_SEEDS * (seed + 1))))):
        stream = from_annotated("bandai", each)
        extent = float(np.median(np.ptp(stream.values, axis=1).max(axis=1)))
        noise = _BVH_NOISE * extent * np.random.default_rng([seed, number]).standard_normal(stream.values.shape)
        made.append(replace(stream, recording=_of_positions(stream.recording, stream.values + noise)))
    return made


def utkinect(seed: int) -> list[AlertStream]:
    """Everyday actions before a depth camera."""
    return [from_annotated("utkinect", each) for each in recorded.load("utkinect")]


def generated(seed: int) -> list[AlertStream]:
    """Invented people, with the noise of optical capture of the cheaper kind."""
    return [generated_stream("generated", 1000 * seed + number, _GENERATED_S) for number in range(_GENERATED)]


def generated_stream(set_name: str, seed: int, duration_s: float) -> AlertStream:
    """One invented person."""
    recording = generate(seed, duration_s=duration_s, rate=RATE_HZ, noise=GENERATED_NOISE_M)
    assert recording.truth is not None  # of generated motion
    boundaries = np.array(recording.truth.boundaries[1:]) / RATE_HZ
    return AlertStream(set_name, recording.name, recording, parents_of(recording), tuple(boundaries.tolist()))


def from_annotated(set_name: str, stream: AnnotatedStream) -> AlertStream:
    """A body of the quality sets: of a faster capture every so many frames, each as it was captured."""
    recording = stream.recording
    step = max(1, round(recording.rate / RATE_HZ))
    boundaries = stream.truth[:, 1] / recording.rate
    unlabelled = tuple((start / recording.rate, end / recording.rate) for start, end in stream.ignore)
    slower = _every(recording, step)
    return AlertStream(
        set_name, stream.name, slower, parents_of(recording), tuple(boundaries.tolist()), unlabelled=unlabelled
    )


def _every(recording: Recording, step: int) -> Recording:
    assert recording.positions is not None  # of bodies
    slower = replace(
        recording,
        frames=recording.frames[::step],
        positions=recording.positions[::step],
        rate=recording.rate / step,
        timestamps=None if recording.timestamps is None else recording.timestamps[::step],
        truth=None,
    )
    assert slower.positions is not None
    return _of_positions(slower, slower.positions)


def _of_positions(recording: Recording, positions: NDArray[np.float64]) -> Recording:
    """The recording with these positions, which are its channels then."""
    return replace(
        recording,
        frames=positions.reshape(len(positions), -1),
        channels=tuple(f"{joint}.{axis}" for joint in recording.joints for axis in "xyz"),
        positions=positions,
    )
