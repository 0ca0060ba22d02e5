"""From an encoder through a decoder to frames, without a socket and without waiting."""

from __future__ import annotations

from typing import Any

import numpy as np
from kineseg.sources import Expectations, Frames, Sample
from kineseg.sources.recorded import Recorded
from kineseg.sources.track import Track
from kineseg.sources.twins.sender import Encoder


def samples_of(decoder: Any, datagrams: list[bytes]) -> list[Sample]:
    return [sample for datagram in datagrams for sample in decoder.decode(datagram)]


def through(encoder: Encoder, decoder: Any, recorded: Recorded, expected: Expectations | None = None) -> list[Frames]:
    """What a track makes of it when each frame arrives as it was captured."""
    track = Track("", expected or Expectations(), {})
    pieces: list[Frames] = []
    for at, values in enumerate(recorded.values):
        time_ns = int(recorded.times_ns[at])
        datagrams = encoder.describe() if at % 60 == 0 else []
        datagrams += encoder.frame(values, at, time_ns / 1e9)
        for sample in samples_of(decoder, datagrams):
            pieces += track.add(sample, 10**12 + time_ns)
    return [*pieces, *track.finish()]


def joined(pieces: list[Frames]) -> np.ndarray[Any, Any]:
    return np.concatenate([piece.values for piece in pieces])


def joint(sample: Sample, name: str) -> list[float]:
    """Where a joint is."""
    assert sample.layout.joints is not None
    return sample.values[list(sample.layout.joints.names).index(name)].tolist()  # type: ignore[no-any-return]
