"""Ten minutes each in which nothing happens: a motionless person, a sensor's noise, a stopped machine."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from kineseg.motion import Recording, generate
from numpy.typing import NDArray
from scipy.signal import lfilter

from evaluation.quality.stream import AnnotatedStream

Array = NDArray[np.float64]

MINUTES = 10.0
SCRATCH = "scratch"
CAMERA_RATE, MOCAP_RATE = 30.0, 60.0  # frames per second
SENSOR_RATE, MACHINE_RATE = 50.0, 10.0
SENSOR_CHANNELS, MACHINE_CHANNELS = 6, 8

# Metres. A marker is known to within a millimetre; a depth camera's joints wander by a centimetre and jitter as well.
OPTICAL_M = 0.0007
CAMERA_WANDER_M, CAMERA_WANDER_S, CAMERA_JITTER_M = 0.008, 0.4, 0.003
# Breathing lifts the chest and what hangs on it; the body sways over its feet, more the higher the joint.
BREATH_M, BREATH_HZ = 0.006, 0.25
SWAY_M, SWAY_S = 0.012, 3.0
_BREATHING = ("chest", "neck", "head", "shoulder", "elbow", "wrist", "hand")

SMOOTH_S = 0.5  # how long smooth noise remembers
TINY = 1e-3  # of the level of a channel: the noise of a stopped machine


def load(_: tuple[int, ...] = (), minutes: float = MINUTES) -> list[AnnotatedStream]:
    """The streams, each `minutes` long; what is random in one follows from its name, so there are no seeds."""
    return [make(name, minutes) for name, make in _STREAMS.items()]


def _still(name: str, minutes: float) -> AnnotatedStream:
    body = _person(minutes, CAMERA_RATE)
    return _skeleton(name, body, CAMERA_RATE)


def _optical(name: str, minutes: float) -> AnnotatedStream:
    body = _person(minutes, MOCAP_RATE)
    return _skeleton(name, body + OPTICAL_M * _rng(name).standard_normal(body.shape), MOCAP_RATE)


def _breathing(name: str, minutes: float) -> AnnotatedStream:
    rng = _rng(name)
    body = _person(minutes, CAMERA_RATE)
    height = body[0, :, 1] / body[0, :, 1].max()
    breath = np.sin(2 * np.pi * BREATH_HZ * np.arange(len(body)) / CAMERA_RATE)
    moved = np.array([any(part in joint for part in _BREATHING) for joint in _one_posture().joints])
    body[:, :, 1:] += BREATH_M / np.sqrt(2) * (breath[:, None] * moved)[:, :, None]  # up and forward
    sway = SWAY_M * smooth_noise(rng, (len(body), 2), SWAY_S * CAMERA_RATE)
    body[:, :, [0, 2]] += sway[:, None, :] * height[None, :, None]
    body += CAMERA_WANDER_M * smooth_noise(rng, body.shape, CAMERA_WANDER_S * CAMERA_RATE)
    body += CAMERA_JITTER_M * rng.standard_normal(body.shape)
    return _skeleton(name, body, CAMERA_RATE)


def _white(name: str, minutes: float) -> AnnotatedStream:
    shape = (round(60 * minutes * SENSOR_RATE), SENSOR_CHANNELS)
    return _sensor(name, _rng(name).standard_normal(shape), SENSOR_RATE)


def _smooth(name: str, minutes: float) -> AnnotatedStream:
    shape = (round(60 * minutes * SENSOR_RATE), SENSOR_CHANNELS)
    return _sensor(name, smooth_noise(_rng(name), shape, SMOOTH_S * SENSOR_RATE), SENSOR_RATE)


def _stopped(name: str, minutes: float) -> AnnotatedStream:
    return _sensor(name, _levels(minutes), MACHINE_RATE)


def _humming(name: str, minutes: float) -> AnnotatedStream:
    levels = _levels(minutes)
    return _sensor(name, levels * (1.0 + TINY * _rng(name).standard_normal(levels.shape)), MACHINE_RATE)


_STREAMS: dict[str, Callable[[str, float], AnnotatedStream]] = {
    "motionless": _still,
    "motionless, optical capture": _optical,
    "breathing, depth camera": _breathing,
    "white noise": _white,
    "smooth noise": _smooth,
    "stopped machine": _stopped,
    "stopped machine, tiny noise": _humming,
}


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], memory: float) -> Array:
    """First-order autoregressive noise along the first axis, of unit deviation, that remembers `memory` samples."""
    keep = float(np.exp(-1.0 / memory))
    start = rng.standard_normal(shape[1:])
    white = rng.standard_normal(shape) * np.sqrt(1.0 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], white, axis=0, zi=keep * start[None])[0])


def _rng(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def _one_posture() -> Recording:
    return generate(0, rate=CAMERA_RATE, actions=("stand",), n_segments=1, noise=0.0)


def _person(minutes: float, rate: float) -> Array:
    """``(T, J, 3)`` one posture of a standing person, held."""
    positions = _one_posture().positions
    assert positions is not None  # of a generated person
    return np.repeat(positions[:1], round(60 * minutes * rate), axis=0)


def _levels(minutes: float) -> Array:
    return np.tile(np.linspace(1.0, 60.0, MACHINE_CHANNELS), (round(60 * minutes * MACHINE_RATE), 1))


def recorded(person: Recording, positions: Array, rate: float, name: str) -> Recording:
    """The recording of joints of `person` at these positions ``(T, J, 3)``."""
    return Recording(
        frames=positions.reshape(len(positions), -1),
        rate=rate,
        channels=person.channels,
        skeleton=person.skeleton,
        positions=positions,
        name=name,
        synthetic=True,
    )


def _skeleton(name: str, positions: Array, rate: float) -> AnnotatedStream:
    return _nothing_happens(name, recorded(_one_posture(), positions, rate, name), "")


def _sensor(name: str, values: Array, rate: float) -> AnnotatedStream:
    channels = tuple(f"channel_{number}" for number in range(values.shape[1]))
    return _nothing_happens(name, Recording(values, rate, channels, name=name, synthetic=True), SCRATCH)


def _nothing_happens(name: str, recording: Recording, model: str) -> AnnotatedStream:
    labels = np.zeros(recording.n_frames, dtype=np.int64)
    return AnnotatedStream("idle", name, recording, np.empty((0, 3)), labels, ("nothing",), model)
