"""Training streams by number: the same seed and number always give the same one, whatever else is made."""

from __future__ import annotations

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from kineseg_training.default.boundary_network.streams.bodies import body
from kineseg_training.default.boundary_network.streams.cameras import seen_by_camera
from kineseg_training.default.boundary_network.streams.idle import idle_body, idle_channels
from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.processes import RATE as PROCESS_RATE
from kineseg_training.default.boundary_network.streams.processes import process
from kineseg_training.default.boundary_network.streams.sensors import seen_by_sensors
from kineseg_training.default.boundary_network.streams.stream import Kind, TrainingStream, Truth
from kineseg_training.default.boundary_network.streams.varied import varied_body, varied_channels

Array = NDArray[np.float64]

KINDS: tuple[Kind, ...] = get_args(Kind)

_OF_TWENTY: tuple[Kind, ...] = (
    "body", "sensors", "process", "body", "annotated", "body", "sensors", "idle", "body", "sensors",
    "process", "body", "annotated", "idle", "sensors", "process", "body", "idle", "annotated", "sensors",
)  # fmt: skip
_ANNOTATED_SHARES = {"takes": 0.45, "mocap6": 0.25, "gesturephase": 0.3}
_CAMERA_SHARE = 0.6  # of annotated bodies; the others are seen by sensors
_STILL_PERSON_SHARE = 0.4  # of idle streams


def kind_of(number: int) -> Kind:
    """The kind of the stream of this number; any twenty in a row have all kinds."""
    return _OF_TWENTY[number % len(_OF_TWENTY)]


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
        case "annotated" if library.annotated:
            return _annotated(rng, library)
        case "body" | "annotated":
            frames, truth = body(rng, library)
            return _seen_by_camera(rng, "body", frames, truth)
        case "sensors":
            frames, truth = body(rng, library)
            return _seen_by_sensors(rng, kind, frames, truth)
        case "process":
            frames, truth = process(rng)
            return TrainingStream(kind, False, frames, PROCESS_RATE, truth)
        case "idle" if rng.random() < _STILL_PERSON_SHARE:
            frames, rate, truth = idle_body(rng, library)
            return TrainingStream(kind, True, frames, rate, truth)
        case "idle":
            frames, rate, truth = idle_channels(rng)
            return TrainingStream(kind, False, frames, rate, truth)


def _annotated(rng: np.random.Generator, library: Library) -> TrainingStream:
    sources = list(library.annotated)
    shares = np.array([_ANNOTATED_SHARES[source] for source in sources])
    recordings = library.annotated[sources[rng.choice(len(sources), p=shares / shares.sum())]]
    if not recordings[0].is_body:
        frames, rate, truth = varied_channels(rng, recordings)
        return TrainingStream("annotated", False, frames, rate, truth)
    frames, truth = varied_body(rng, recordings)
    seen_by = _seen_by_camera if rng.random() < _CAMERA_SHARE else _seen_by_sensors
    return seen_by(rng, "annotated", frames, truth)


def _seen_by_camera(rng: np.random.Generator, kind: Kind, frames: Array, truth: Truth) -> TrainingStream:
    seen, rate = seen_by_camera(rng, frames)
    return TrainingStream(kind, True, seen, rate, truth.until(len(seen) / rate))


def _seen_by_sensors(rng: np.random.Generator, kind: Kind, frames: Array, truth: Truth) -> TrainingStream:
    seen, rate = seen_by_sensors(rng, frames)
    return TrainingStream(kind, False, seen, rate, truth.until(len(seen) / rate))
