"""A recording through intake, model and segmenter in this process, as the engine does it, without a server."""

from __future__ import annotations

from functools import cache

import numpy as np
from kineseg_core.events import AnomalyRaised, EndReason, Event, Output, SegmentClosed
from kineseg_core.generic import ScratchPlan, scratch_bundle
from kineseg_core.inference.bundle import load_bundle, packaged_bundle
from kineseg_core.inference.decoder import Decoder
from kineseg_core.intake.intake import ModelFrames
from kineseg_core.opening import Opener, StreamRequest
from numpy.typing import NDArray

SHIPPED = ""
SCRATCH = "scratch"


@cache
def opener() -> Opener:
    path = packaged_bundle()
    assert path is not None
    return Opener({"motion": load_bundle(path)})


@cache
def decoder(plan: ScratchPlan | None) -> Decoder:
    """The decoder of a plan; without one, of the packaged model."""
    path = packaged_bundle()
    assert path is not None
    bundle = load_bundle(path) if plan is None else scratch_bundle(plan)
    return Decoder(bundle, "cpu", slots=2, max_batch=1)


def events(frames: NDArray[np.floating], rate_hz: float, model: str = SHIPPED, latency_s: float = 4.0) -> list[Event]:
    """All that is told of frames (T, C)."""
    channels = () if model == SHIPPED else tuple(f"c{i}" for i in range(frames.shape[1]))
    request = StreamRequest(rate_hz, model=model, channels=channels, latency_s=latency_s)
    session = opener().session(request)
    decodes = decoder(session.config.plan)
    lease = decodes.acquire()
    slots, out = np.array([lease.slot]), list[Output]()

    def step(block: ModelFrames) -> None:
        for at, row in enumerate(block.frames):
            stepped = decodes.step(slots, row[None])
            assert stepped.bad_rows == [], f"the model's output is not finite at {block.decided[at]}"
            session.update(block, at, stepped.embedding[0], float(stepped.surprise[0]), out)

    for first in range(0, len(frames), 1000):
        data = np.ascontiguousarray(frames[first : first + 1000], "<f4").tobytes()
        for item in session.take(first, data, ()):
            if isinstance(item, ModelFrames):
                step(item)
    *rest, end = session.end(EndReason.COMPLETED)
    for block in rest:
        assert isinstance(block, ModelFrames)
        step(block)
    assert not isinstance(end, ModelFrames)
    session.finish(end, out)
    decodes.release(lease)
    return [output for output in out if isinstance(output, Event)]


def closed(told: list[Event]) -> list[SegmentClosed]:
    """The segments."""
    return [event.detail for event in told if isinstance(event.detail, SegmentClosed)]


def anomalies_s(told: list[Event]) -> list[float]:
    """When there were anomalies, seconds."""
    return [event.time_s for event in told if isinstance(event.detail, AnomalyRaised)]
