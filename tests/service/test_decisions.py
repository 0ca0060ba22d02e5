"""Segments from provisional to closed, and what clients get that ask for less."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.boundary_network import Ask, Look
from kineseg_core.events import EndReason, Output
from kineseg_core.inference.bundle import load_bundle
from kineseg_core.inference.state_table import F32, Step
from kineseg_core.intake.resampling import ModelFrames
from kineseg_core.opening import Opener
from kineseg_core.segmenter import (
    Decision,
    LabelsMerged,
    SegmentEnd,
    SegmentRetract,
    SegmentStart,
    SegmentUpdate,
)
from kineseg_core.session import Session
from kineseg_service.api.convert import response, stream_request

from tests.core.promises import agree, keeps_promises, ways
from tests.same_events import content
from tests.service.talk import Stub, cut, events, motion, segment

MODES = (pb.DECISIONS_ALL, pb.DECISIONS_FINAL, pb.DECISIONS_PROVISIONAL)
# What events say that is of no concern here.
OTHERS = {"start_time_s", "end_time_s", "duration_s", "severity", "capture_time_ns", "model", "model_sha256"}


class Written:
    """Decides what is written, at the frames where it is written, and looks at no frame."""

    def __init__(
        self,
        decisions: Mapping[int, Sequence[Decision]],
        at_the_end: Sequence[Decision],
        shortest_latency_s: float = 0.0,
    ) -> None:
        self.shortest_latency_s = shortest_latency_s
        self.label = 0
        self.anomaly_score = 0.0
        self._decisions = decisions
        self._at_the_end = at_the_end
        self._frames = 0

    def step(self, frame: F32, embedding: F32, surprise: float, ask: Ask) -> Sequence[Decision]:
        self._frames += 1
        return self._decisions.get(self._frames - 1, ())

    def finish(self) -> Sequence[Decision]:
        return self._at_the_end


def no_one(looks: Sequence[Look]) -> F32:
    return np.zeros(len(looks), np.float32)


def emit(
    tiny: Path,
    written: Written,
    frames: int,
    decisions: pb.Decisions.ValueType = pb.DECISIONS_ALL,
    *,
    rate_hz: float = 30.0,
    latency_s: float = 4.0,
) -> list[pb.Event]:
    """What a session that decides so emits about a stream of so many frames."""
    config = pb.StreamConfig(frame_rate_hz=rate_hz, latency_s=latency_s, decisions=decisions)
    made = Opener({"tiny": load_bundle(tiny)}).session(stream_request(config))
    session = Session(made.request, made.config, made.intake, written)  # type: ignore[arg-type]
    session._decides = written  # type: ignore[assignment]
    out: list[Output] = []
    items = [*session.take(0, np.zeros((frames, 3), "<f4").tobytes(), ())]
    for item in items:
        for at in range(len(item.decided) if isinstance(item, ModelFrames) else 0):
            assert isinstance(item, ModelFrames)
            session.step(item, at, Step(np.zeros(4, np.float32), 0.0), no_one, out)
            session = pickle.loads(pickle.dumps(session))
    *rest, end = session.end(EndReason.COMPLETED)
    assert not rest
    assert not isinstance(end, ModelFrames)
    session.finish(end, out)
    return events([response(output) for output in out])


def story() -> Written:
    """One segment; one provisional, moved and confirmed, relabelled when certain; one retracted; one sure at once."""
    return Written(
        {
            0: [SegmentStart(0, 0, 0)],
            12: [SegmentStart(10, 1, 1, 0.25, False)],
            14: [SegmentUpdate(9, 1, 1, 0.75, False)],
            20: [SegmentEnd(0, 0, 0, 8), SegmentUpdate(8, 1, 1, 1.0, True)],
            22: [SegmentUpdate(8, 1, 2, 1.0, True), LabelsMerged(21, 1, 0)],
            24: [SegmentStart(23, 2, 0, 0.5, False)],
            28: [SegmentRetract(23, 2)],
            40: [SegmentEnd(1, 2, 8, 30), SegmentStart(30, 3, 0)],
        },
        [SegmentEnd(3, 0, 30, 50)],
    )


def lines(emitted: Sequence[pb.Event]) -> list[str]:
    """The events in short: kind, frame, deciding frame and what else they say."""
    short = []
    for event in emitted:
        kind = event.WhichOneof("detail") or ""
        detail = getattr(event, kind)
        values = [f"{value:g}" for field, value in detail.ListFields() if field.name not in OTHERS]
        short.append(" ".join([kind, str(event.frame), str(event.decided_frame), *values]))
    return short


def test_all_that_is_decided_is_emitted(tiny: Path) -> None:
    everything = emit(tiny, story(), 50)
    keeps_promises(everything, pb.DECISIONS_ALL)
    assert lines(everything)[:-1] == [
        "segment_started 0 0 1 1",
        "segment_started 10 12 1 1 0.25",
        "segment_updated 9 14 1 1 0.75",
        "segment_closed 0 20 8",
        "segment_updated 8 20 1 1 1 1",
        "segment_updated 8 22 1 2 1 1",
        "labels_merged 21 22 1",
        "segment_started 23 24 2 0.5",
        "segment_retracted 23 28 2",
        "segment_closed 8 40 1 2 8 30",
        "segment_started 30 40 3 1 1",
        "segment_closed 30 49 3 30 50",
    ]
    assert everything[-1].summary == pb.Summary(
        frames=50,
        duration_s=everything[-1].summary.duration_s,
        segments=3,
        labels=2,
        provisional=2,
        retracted=1,
        reason=pb.END_REASON_COMPLETED,
        model="tiny",
        model_sha256=everything[-1].summary.model_sha256,
    )


def test_who_wants_final_decisions_hears_of_a_segment_once_it_is_certain(tiny: Path) -> None:
    final = emit(tiny, story(), 50, pb.DECISIONS_FINAL)
    keeps_promises(final, pb.DECISIONS_FINAL)
    assert lines(final)[:-1] == [
        "segment_started 0 0 1 1",
        "segment_closed 0 20 8",
        "segment_started 8 20 1 1 1 1",
        "labels_merged 21 22 1",
        "segment_closed 8 40 1 2 8 30",
        "segment_started 30 40 3 1 1",
        "segment_closed 30 49 3 30 50",
    ]
    assert final[-1].summary == emit(tiny, story(), 50)[-1].summary


def test_who_wants_early_decisions_hears_no_ends(tiny: Path) -> None:
    early = emit(tiny, story(), 50, pb.DECISIONS_PROVISIONAL)
    keeps_promises(early, pb.DECISIONS_PROVISIONAL)
    everything = lines(emit(tiny, story(), 50))
    assert lines(early) == [line for line in everything if "segment_closed" not in line]


def test_labels_that_were_merged_count_once(tiny: Path) -> None:
    written = Written(
        {
            0: [SegmentStart(0, 0, 0)],
            10: [SegmentEnd(0, 0, 0, 8), SegmentStart(8, 1, 1)],
            20: [SegmentEnd(1, 1, 8, 18), SegmentStart(18, 2, 2)],
            22: [LabelsMerged(22, 1, 0)],
        },
        [SegmentEnd(2, 2, 18, 30)],
    )
    assert emit(tiny, written, 30)[-1].summary.labels == 2


@pytest.mark.parametrize("provisional", [True, False])
@pytest.mark.parametrize("end_first", [True, False])
def test_a_boundary_that_would_be_late_is_confirmed_at_a_later_place_once_for_both_sides(
    tiny: Path, *, provisional: bool, end_first: bool
) -> None:
    # Confirmed 20 frames after it, with a budget of 15; the end of the segment before may be decided apart.
    start: Decision = SegmentUpdate(12, 1, 1, 1.0, True) if provisional else SegmentStart(12, 1, 1)
    written = Written(
        {
            0: [SegmentStart(0, 0, 0)],
            # However late the budget: what is provisional stays where it is.
            31: [SegmentStart(12, 1, 1, 0.5, False)] if provisional else [],
            32: [SegmentEnd(0, 0, 0, 12)] if end_first else [start],
            34: [start] if end_first else [SegmentEnd(0, 0, 0, 12)],
        },
        [SegmentEnd(1, 1, 12, 60)],
        shortest_latency_s=1.0,
    )
    everything = emit(tiny, written, 60, latency_s=0.5)
    closed = [event.segment_closed for event in everything if event.HasField("segment_closed")]
    assert [(segment.start_frame, segment.end_frame) for segment in closed] == [(0, 32), (32, 60)]
    assert ways(everything)[1].frame == 32
    if provisional:
        assert [e.frame for e in everything if e.HasField("segment_started")] == [0, 12]


@dataclasses.dataclass
class Author:
    """Writes decisions as a segmenter might make them."""

    written: dict[int, list[Decision]]
    start: int = 0
    open_id: int = 0
    next_id: int = 1
    waiting: list[SegmentStart | SegmentUpdate] = dataclasses.field(default_factory=list)

    def write(self, frame: int, act: str, pick: int) -> None:
        lines = self.written.setdefault(frame, [])
        last = self.waiting[-1].index if self.waiting else self.start
        if act == "propose" and last + 1 < frame:
            self.waiting.append(SegmentStart(last + 1 + pick % (frame - last - 1), self.next_id, pick % 5, 0.3, False))
            lines.append(self.waiting[-1])
            self.next_id += 1
        elif act == "move" and self.waiting:
            before = self.waiting[-2].index if len(self.waiting) > 1 else self.start
            index = before + 1 + pick % (frame - before)
            self.waiting[-1] = SegmentUpdate(min(index, frame), self.waiting[-1].segment_id, pick % 4, 0.6, False)
            lines.append(self.waiting[-1])
        elif act == "retract" and self.waiting:
            gone = self.waiting.pop(pick % len(self.waiting))
            lines.append(SegmentRetract(gone.index, gone.segment_id))
        elif act == "confirm" and self.waiting:
            sure = self.waiting.pop(0)
            lines.append(SegmentEnd(self.open_id, pick % 3, self.start, sure.index))
            lines.append(SegmentUpdate(sure.index, sure.segment_id, sure.label, 1.0, True))
            self.start, self.open_id = sure.index, sure.segment_id
        elif act == "begin" and not self.waiting and self.start + 1 < frame:
            lines.append(SegmentEnd(self.open_id, pick % 3, self.start, frame - 1))
            lines.append(SegmentStart(frame - 1, self.next_id, pick % 4))
            self.start, self.open_id = frame - 1, self.next_id
            self.next_id += 1
        elif act == "relabel":
            lines.append(SegmentUpdate(self.start, self.open_id, pick % 6, 1.0, True))
        elif act == "merge":
            lines.append(LabelsMerged(frame, pick % 3, 5))


ACTS = st.sampled_from(["wait", "propose", "move", "retract", "confirm", "begin", "relabel", "merge"])


@settings(max_examples=60)
@given(acts=st.lists(st.tuples(ACTS, st.integers(0, 1000)), min_size=1, max_size=80))
def test_whatever_is_decided_promises_are_kept_and_all_clients_agree(tiny: Path, acts: list[tuple[str, int]]) -> None:
    author = Author({0: [SegmentStart(0, 0, 0)]})
    for frame, (act, pick) in enumerate(acts, 1):
        author.write(frame, act, pick)
    frames = len(acts) + 1
    end = [SegmentEnd(author.open_id, 0, author.start, frames)]
    heard = [emit(tiny, Written(author.written, end), frames, mode) for mode in MODES]
    for events_, mode in zip(heard, MODES, strict=True):
        keeps_promises(events_, mode)
    agree(*heard)


def walk(seed: int, frames: int, step: float, jumps: int) -> F32:
    """A random walk (frames, 3) with some jumps."""
    random = np.random.default_rng(seed)
    moves = random.normal(0, step, (frames, 3))
    at = random.integers(0, frames, jumps)
    moves[at] += random.normal(0, 2, (jumps, 3))
    return (np.cumsum(moves, axis=0) + random.normal(0, 0.1, (frames, 3))).astype("<f4")


@settings(max_examples=6)
@given(
    seed=st.integers(0, 2**32 - 1),
    frames=st.integers(1, 1500),
    step=st.sampled_from([0.0, 0.01, 0.1]),
    jumps=st.integers(0, 12),
    latency_s=st.sampled_from([0.5, 2.0, 4.0, 10.0]),
)
def test_promises_are_kept_on_any_motion(
    stub: Stub, seed: int, frames: int, step: float, jumps: int, latency_s: float
) -> None:
    data = walk(seed, frames, step, jumps)
    heard = [events(segment(stub, cut(data), decisions=mode, latency_s=latency_s)) for mode in MODES]
    for events_, mode in zip(heard, MODES, strict=True):
        keeps_promises(events_, mode, latency_s)
    agree(*heard)


@pytest.mark.parametrize("rate_hz", [24.0, 30.0, 120.0])
def test_promises_are_kept_where_actions_change(stub: Stub, rate_hz: float) -> None:
    data = motion(round(50 * rate_hz), rate_hz=rate_hz)
    heard = [events(segment(stub, cut(data), rate_hz, decisions=mode)) for mode in MODES]
    for events_, mode in zip(heard, MODES, strict=True):
        keeps_promises(events_, mode, 4.0)
    agree(*heard)
    assert heard[0][-1].summary.segments > 4


def test_all_is_what_is_emitted_by_default(stub: Stub) -> None:
    data = motion(600)
    by_default = events(segment(stub, cut(data)))
    assert content(by_default) == content(events(segment(stub, cut(data), decisions=pb.DECISIONS_ALL)))
