"""Training streams in which something happens, by what their segments are of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from kineseg_core.generic.plan import FEW
from kineseg_core.segmenter.labels.repetition import Kind

from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.make import kind_of, make_stream
from kineseg_training.default.boundary_network.streams.processes import RATE, process
from kineseg_training.default.boundary_network.streams.stream import TrainingStream


def made_streams(library: Library, seed: int, kind: Kind) -> Iterator[TrainingStream]:
    """Streams without end: bodies, sensors and processes of many channels, or processes of few."""
    for number in itertools.count():
        if kind == "patterns":
            frames, truth = process(np.random.default_rng([seed, number]), range(1, FEW + 1))
            yield TrainingStream("process", False, frames, RATE, truth)
        elif kind_of(number) != "idle":
            yield make_stream(library, seed, number)
