"""A session is one picklable value, and numbers what it emits."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from kineseg_core.boundary_network import BoundaryNetwork, packaged_network
from kineseg_core.decisions import Decisions
from kineseg_core.events import Ack, EndReason, Event, Output, SegmentClosed, SegmentStarted
from kineseg_core.inference.bundle import load_bundle
from kineseg_core.inference.state_table import F32, Step
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.intake.taken import ChunkEnd, GapFound
from kineseg_core.opening import Opener, StreamRequest
from kineseg_core.session import Session

from tests.core.tiny_bundle import TinyModel, write_tiny_bundle
from tests.same_events import content
from tests.service.talk import motion


@cache
def network() -> BoundaryNetwork:
    return BoundaryNetwork(packaged_network())


def opener(tiny: Path) -> Opener:
    return Opener({"tiny": load_bundle(tiny)})


def go_through(session: Session, first: int, frames: F32, out: list[Output]) -> None:
    """What a model whose embedding is the frame would have the session emit."""
    for item in session.take(first, frames.tobytes(), ()):
        if isinstance(item, ModelFrames):
            for at, row in enumerate(item.frames):
                session.step(item, at, Step(np.append(row, row[:1]), 0.05), network(), out)
        elif isinstance(item, GapFound):
            session.gap(item, out)
        elif isinstance(item, ChunkEnd):
            session.ack(item, out)


def finish(session: Session, out: list[Output]) -> None:
    *_, end = session.end(EndReason.COMPLETED)
    assert not isinstance(end, ModelFrames)
    session.finish(end, out)


def test_a_session_that_was_pickled_after_every_chunk_emits_the_same(tiny: Path) -> None:
    config = StreamRequest(rate_hz=120, session_id="s")
    frames = motion(4800, rate_hz=120)
    whole, pieces = opener(tiny).session(config), opener(tiny).session(config)
    expected: list[Output] = []
    got: list[Output] = []
    go_through(whole, 0, frames[:2000], expected)
    go_through(whole, 2010, frames[2010:], expected)
    finish(whole, expected)
    for first in [*range(0, 2000, 160), *range(2010, 4800, 155)]:
        last = min(first + 160, 2000) if first < 2000 else first + 155
        go_through(pieces, first, frames[first:last], got)
        pieces = pickle.loads(pickle.dumps(pieces))
    finish(pieces, got)
    assert content(o for o in got if isinstance(o, Event)) == content(o for o in expected if isinstance(o, Event))
    assert len([o for o in expected if isinstance(o, Event) and isinstance(o.detail, SegmentClosed)]) > 4
    assert len([o for o in got if isinstance(o, Ack)]) == 13 + 18


def test_progress_follows_what_has_been_emitted(tiny: Path) -> None:
    session = opener(tiny).session(StreamRequest(rate_hz=30))
    out: list[Output] = []
    go_through(session, 0, motion(600), out)
    emitted = [output for output in out if isinstance(output, Event)]
    closed = [event.detail for event in emitted if isinstance(event.detail, SegmentClosed)]
    assert session.progress.frames_processed == 600
    assert session.progress.last_seq == len(emitted)
    assert session.progress.segments_closed == len(closed) == session.segment_counts.confirmed - 1
    assert list(session.segments) == closed


def test_sessions_without_a_name_get_one_each(tiny: Path) -> None:
    make = opener(tiny)
    names = {make.session(StreamRequest(rate_hz=30)).config.session_id for _ in range(20)}
    assert len(names) == 20


@pytest.mark.parametrize("latency_s", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("model_rate_hz", [1.0, 30.0])
@pytest.mark.parametrize("rate_hz", [1.0, 1.5, 3.0, 7.3, 24.0, 100.0])
def test_no_boundary_is_decided_late_at_any_rate(
    rate_hz: float, model_rate_hz: float, latency_s: float, tmp_path: Path
) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny", TinyModel(rate_hz=model_rate_hz))
    config = StreamRequest(rate_hz=rate_hz, latency_s=latency_s, decisions=Decisions.FINAL)
    session = opener(bundle).session(config)
    out: list[Output] = []
    frames = motion(round(100 * rate_hz), rate_hz=rate_hz)
    for first in range(0, len(frames), 1000):
        go_through(session, first, frames[first : first + 1000], out)
    finish(session, out)
    emitted = [o for o in out if isinstance(o, Event)]
    closed = [(event, event.detail) for event in emitted if isinstance(event.detail, SegmentClosed)]
    started = [event.frame for event in emitted if isinstance(event.detail, SegmentStarted)]
    assert all(event.decided_frame - segment.end_frame <= latency_s * rate_hz for event, segment in closed)
    # Wherever boundaries are placed for that, segments cover every frame once.
    assert [segment.start_frame for _, segment in closed] == started
    assert [segment.end_frame for _, segment in closed] == [*started[1:], len(frames)]
    assert started[0] == 0
    assert all(segment.start_frame < segment.end_frame for _, segment in closed)
