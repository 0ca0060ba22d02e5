"""Long streams of our own making in which nothing is wrong: motion, no motion, and noise of two kinds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from kineseg.motion import Recording, generate
from numpy.typing import NDArray
from scipy.signal import lfilter

from evaluation.alerts.joints import parents_of
from evaluation.alerts.sets.bodies import GENERATED_NOISE_M, RATE_HZ, generated_stream
from evaluation.alerts.stream import AlertStream
from evaluation.quality.sets.idle import recorded

Array = NDArray[np.float64]
Make = Callable[[np.random.Generator, tuple[int, int]], Array]

_LONG, LONG_S = 2, 1500.0
MOTIONLESS_S = 600.0
_NOISES, NOISE_S, NOISE_HZ, _CHANNELS = 8, 375.0, 10.0, 6
_KEEPS = 0.95  # of a first-order autoregressive process, from one sample to the next


def long(seed: int) -> list[AlertStream]:
    """Two people in motion for 25 minutes each."""
    return [generated_stream("long", 1000 * seed + 500 + number, LONG_S) for number in range(_LONG)]


def motionless(seed: int) -> list[AlertStream]:
    """Ten minutes of a posture with the noise of a capture, and ten in which all frames are equal."""
    frames = round(MOTIONLESS_S * RATE_HZ)
    person = generate(0, rate=RATE_HZ, actions=("stand",), n_segments=1, noise=0.0)
    assert person.positions is not None  # of a generated person
    still = np.repeat(person.positions[:1], frames, axis=0)
    noise = GENERATED_NOISE_M * np.random.default_rng([seed, 1]).standard_normal(still.shape)
    return [_body(person, "noise", still + noise), _body(person, "equal frames", still)]


def autoregressive(seed: int) -> list[AlertStream]:
    """Noise that remembers a little."""

    def make(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        return np.asarray(lfilter([1.0], [1.0, -_KEEPS], rng.standard_normal(shape), axis=0))

    return [_sensor("autoregressive", seed, number, make) for number in range(_NOISES)]


def walks(seed: int) -> list[AlertStream]:
    """Random walks, which go where they have never been all the time."""

    def make(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        return np.cumsum(rng.standard_normal(shape), axis=0)

    return [_sensor("walks", seed, number, make) for number in range(_NOISES)]


def _body(person: Recording, name: str, positions: Array) -> AlertStream:
    recording = recorded(person, positions, RATE_HZ, name)
    return AlertStream("motionless", name, recording, parents_of(recording))


def _sensor(set_name: str, seed: int, number: int, make: Make) -> AlertStream:
    values = make(np.random.default_rng([seed, number]), (round(NOISE_S * NOISE_HZ), _CHANNELS))
    channels = tuple(f"channel_{at}" for at in range(_CHANNELS))
    name = f"{set_name}-{number}"
    return AlertStream(set_name, name, Recording(values, NOISE_HZ, channels, name=name, synthetic=True))
