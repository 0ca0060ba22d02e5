"""Training streams in which something happens, by what their segments are of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from kineseg_core.generic.plan import FEW
from kineseg_core.segmenter.labels.repetition import Kind

from kineseg_training.default.boundary_network.streams.library import Library
from kineseg_training.default.boundary_network.streams.make import kind_of, make_stream
from kineseg_training.default.boundary_network.streams.stream import TrainingStream


def made_streams(library: Library, seed: int, kind: Kind) -> Iterator[TrainingStream]:
    """Streams without end: bodies, sensors and processes of many channels, or processes of few."""
    for number in itertools.count():
        made_as = kind_of(number)
        if made_as == "idle" or (kind == "patterns" and made_as != "process"):
            continue
        stream = make_stream(library, seed, number)
        few = not stream.canonical and stream.frames.shape[1] <= FEW
        if few == (kind == "patterns"):
            yield stream
