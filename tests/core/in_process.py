"""A whole recording segmented in this process, without a server."""

from __future__ import annotations

from functools import cache

import numpy as np
from kineseg_core.events import AnomalyRaised, Event, Output, SegmentClosed
from kineseg_core.in_process import InProcessStream
from kineseg_core.inference.bundle import Bundle, load_bundle, packaged_bundle
from kineseg_core.opening import Opener, StreamRequest
from numpy.typing import NDArray

SHIPPED = ""
SCRATCH = "scratch"


@cache
def shipped() -> Bundle:
    path = packaged_bundle()
    assert path is not None
    return load_bundle(path)


@cache
def opener() -> Opener:
    return Opener({"motion": shipped()})


def events(
    frames: NDArray[np.floating],
    rate_hz: float,
    model: str = SHIPPED,
    latency_s: float = 4.0,
    boundary_threshold: float = 0.0,
) -> list[Event]:
    """All that is emitted about frames (T, C)."""
    channels = () if model == SHIPPED else tuple(f"c{i}" for i in range(frames.shape[1]))
    wanted = StreamRequest(
        rate_hz, model=model, channels=channels, latency_s=latency_s, boundary_threshold=boundary_threshold
    )
    session = opener().session(wanted)
    stream = InProcessStream(session, None if model == SCRATCH else shipped(), opener().network)
    out: list[Output] = []
    for first in range(0, len(frames), 1000):
        stream.take(first, np.ascontiguousarray(frames[first : first + 1000], "<f4").tobytes(), (), out)
    stream.finish(out)
    return [output for output in out if isinstance(output, Event)]


def closed(emitted: list[Event]) -> list[SegmentClosed]:
    """The segments."""
    return [event.detail for event in emitted if isinstance(event.detail, SegmentClosed)]


def anomalies_s(emitted: list[Event]) -> list[float]:
    """When there were anomalies, seconds."""
    return [event.time_s for event in emitted if isinstance(event.detail, AnomalyRaised)]
