"""Training streams by number: the same seed and number always give the same one, whatever else is made."""

from __future__ import annotations

from typing import get_args

import numpy as np

from kineseg_training.default.boundary_network.streams.bodies import body
from kineseg_training.default.boundary_network.streams.cameras import seen_by_camera
from kineseg_training.default.boundary_network.streams.idle import idle_body, idle_channels
from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.processes import RATE as PROCESS_RATE
from kineseg_training.default.boundary_network.streams.processes import process
from kineseg_training.default.boundary_network.streams.sensors import seen_by_sensors
from kineseg_training.default.boundary_network.streams.stream import Kind, TrainingStream

KINDS: tuple[Kind, ...] = get_args(Kind)

_OF_TEN: tuple[Kind, ...] = (
    "body", "sensors", "process", "body", "sensors", "idle", "body", "sensors", "process", "body",
)  # fmt: skip
_STILL_PERSON_SHARE = 0.4  # of idle streams


def kind_of(number: int) -> Kind:
    """The kind of the stream of this number; any ten in a row have all kinds."""
    return _OF_TEN[number % len(_OF_TEN)]


def make_stream(library: Library, seed: int, number: int) -> TrainingStream:
    """The stream of this number.

    Args:
        library: What bodies are made of.
        seed: Of all streams.
        number: 0 or more; decides the kind, see `kind_of`.
    """
    rng = np.random.default_rng([seed, number])
    kind = kind_of(number)
    match kind:
        case "body":
            frames, truth = body(rng, library)
            frames, rate = seen_by_camera(rng, frames)
        case "sensors":
            frames, truth = body(rng, library)
            frames, rate = seen_by_sensors(rng, frames)
        case "process":
            frames, truth = process(rng)
            rate = PROCESS_RATE
        case "idle":
            if rng.random() < _STILL_PERSON_SHARE:
                frames, rate, truth = idle_body(rng, library)
                return TrainingStream(kind, True, frames, rate, truth)
            frames, rate, truth = idle_channels(rng)
    return TrainingStream(kind, kind == "body", frames, rate, truth.until(len(frames) / rate))
