"""One stream, through a real server: what comes back, and that it depends on nothing but the frames."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.inference.bundle import load_bundle
from kineseg_service.server import BackgroundServer

from tests.core.tiny_bundle import run_alone
from tests.same_events import content
from tests.service.talk import F32, Call, Stub, chunk, config, cut, events, kinds, motion, results, segment

FRAMES = motion(1500)


def test_a_stream_is_segmented_while_it_runs(stub: Stub) -> None:
    call = Call(stub, config(session_id="live"))
    opened = call.opened()
    assert opened.session_id == "live"
    assert (opened.model.name, opened.latency_s, opened.max_gap_s) == ("tiny", 4.0, 1.0)
    assert opened.max_chunk_frames == 4096
    early = []
    for request in cut(FRAMES):
        call.send(request)
        while (response := call.read()).WhichOneof("payload") != "ack":
            early.append(response)
    # Nothing has been half-closed yet.
    assert kinds(early).count("segment_closed") >= 3
    call.half_close()
    late = call.rest()
    assert kinds(late)[-2:] == ["segment_closed", "summary"]
    assert call.failure().code().name == "OK"


def test_events_are_numbered_and_segments_cover_the_stream(stub: Stub) -> None:
    emitted = events(segment(stub, cut(FRAMES), decisions=pb.DECISIONS_FINAL))
    assert [event.seq for event in emitted] == list(range(1, len(emitted) + 1))
    started = [event for event in emitted if event.HasField("segment_started")]
    closed = [event.segment_closed for event in emitted if event.HasField("segment_closed")]
    assert len(closed) > 3
    assert [event.segment_started.segment_id for event in started] == sorted({s.segment_id for s in closed})
    assert [event.frame for event in started] == [segment.start_frame for segment in closed]
    assert [0, *(segment.end_frame for segment in closed)] == [*(s.start_frame for s in closed), 1500]
    for event in emitted:
        assert 0 <= event.frame <= event.decided_frame < 1500
        assert event.time_s == pytest.approx(event.frame / 30, abs=1e-6)
        assert event.decided_time_s == pytest.approx(event.decided_frame / 30, abs=1e-6)
        assert not event.HasField("capture_time_ns")
        if event.HasField("segment_started"):
            assert event.decided_time_s - event.time_s <= 4.0
    decided = [event.decided_frame for event in emitted]
    assert decided == sorted(decided)
    summary = emitted[-1].summary
    assert summary.frames == 1500
    assert summary.duration_s == pytest.approx(50)
    assert summary.segments == len(closed)
    assert summary.labels == len({segment.label for segment in closed})
    assert summary.reason == pb.END_REASON_COMPLETED


def test_capture_times_come_back_with_the_events(stub: Stub) -> None:
    times = [10**18 + i * 10**9 // 120 for i in range(3000)]
    emitted = events(segment(stub, cut(motion(3000, rate_hz=120), times=times), rate_hz=120))
    assert len(emitted) > 4
    for event in emitted:
        assert event.capture_time_ns == pytest.approx(times[event.frame], abs=2)


def test_each_chunk_is_acknowledged_in_order(stub: Stub) -> None:
    responses = segment(stub, cut(FRAMES[:200], [1, 7, 90, 2]))
    acks = [response.ack.frames for response in responses if response.HasField("ack")]
    assert acks == [1, 8, 98, 100, 150, 200]


def test_a_stream_without_frames_ends_with_an_empty_summary(stub: Stub) -> None:
    [event] = events(segment(stub, []))
    assert event.seq == 1
    [model] = (model for model in stub.ListModels(pb.ListModelsRequest()).models if model.name == "tiny")
    ran = {"model": model.name, "model_sha256": model.sha256}
    assert event.summary == pb.Summary(reason=pb.END_REASON_COMPLETED, **ran)


def test_a_stream_shorter_than_one_model_frame_is_one_segment(stub: Stub) -> None:
    emitted = events(segment(stub, cut(FRAMES[:2]), rate_hz=120))
    assert [event.WhichOneof("detail") for event in emitted] == ["segment_started", "segment_closed", "summary"]
    assert emitted[0].segment_started.confirmed
    assert (emitted[1].segment_closed.start_frame, emitted[1].segment_closed.end_frame) == (0, 2)


def test_a_gap_is_reported_first_and_its_frames_count(stub: Stub) -> None:
    requests = [chunk(0, FRAMES[:300]), chunk(310, FRAMES[310:600])]
    emitted = events(segment(stub, requests))
    [gap] = [event for event in emitted if event.HasField("gap")]
    assert (gap.frame, gap.decided_frame, gap.gap.missing_frames) == (300, 310, 10)
    assert gap.gap.duration_s == pytest.approx(11 / 30, abs=1e-6)
    before = [event.seq for event in emitted if event.decided_frame < 310]
    assert gap.seq == max(before) + 1
    assert (emitted[-1].summary.frames, emitted[-1].summary.filled_frames) == (600, 10)


def test_a_channel_that_is_lost_ends_nothing_and_is_reported(stub: Stub) -> None:
    frames = FRAMES[:600].copy()
    frames[200:400, 1] = np.nan
    emitted = events(segment(stub, cut(frames)))
    found = [event for event in emitted if event.HasField("missing_values")]
    assert [(event.frame, event.decided_frame) for event in found] == [(200, 208), (200, 400)]
    assert [list(event.missing_values.channels) for event in found] == [["c1"], ["c1"]]
    assert [event.missing_values.returned for event in found] == [False, True]
    assert found[1].missing_values.duration_s == pytest.approx(200 / 30, abs=1e-6)
    assert (emitted[-1].summary.frames, emitted[-1].summary.missing_values) == (600, 200)
    # The same as from a source that holds its last value itself.
    frames[200:400, 1] = frames[199, 1]
    held = events(segment(stub, cut(frames)))
    assert of_segments(emitted) == of_segments(held)


def test_channels_may_come_in_any_order(stub: Stub) -> None:
    shuffled = np.ascontiguousarray(FRAMES[:, [2, 0, 1]])
    here = segment(stub, cut(shuffled), channels=["c2", "c0", "c1"], frame_results=True)
    there = segment(stub, cut(FRAMES), frame_results=True)
    assert content(here[1:]) == content(there[1:])


def test_batched_equals_unbatched_equals_onnx_runtime_alone(stub: Stub, tiny: Path) -> None:
    bundle = load_bundle(tiny)
    streams = [motion(240 + 10 * i, seed=i) for i in range(12)]
    got: dict[int, list[pb.FrameResult]] = {}

    def run(i: int) -> None:
        got[i] = results(segment(stub, cut(streams[i], rest=30), frame_results=True))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(streams))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, frames in enumerate(streams):
        alone = run_alone(bundle.graph, frames, bundle.state_size)
        # Not a tolerance: a row does not know its batch.
        assert np.array_equal(np.array([r.embedding for r in got[i]], np.float32), alone["embedding"])
        assert np.array_equal(np.array([r.surprise for r in got[i]], np.float32), alone["surprise"])
        assert [r.frame for r in got[i]] == list(range(len(frames)))


def of_segments(emitted: list[pb.Event]) -> list[pb.Event]:
    """What is said of segments and labels, unnumbered."""
    same = [event for event in content(emitted) if event.WhichOneof("detail").startswith(("segment", "labels"))]
    for event in same:
        event.seq = 0
    return same


def without_acks(responses: list[pb.SegmentResponse]) -> list[pb.SegmentResponse]:
    return [response for response in responses[1:] if not response.HasField("ack")]


@pytest.fixture(scope="module")
def in_one_chunk(running: tuple[BackgroundServer, Stub]) -> Callable[[float], list[pb.SegmentResponse]]:
    """What fifteen seconds at a rate give, all in one chunk."""

    @cache
    def one(rate: float) -> list[pb.SegmentResponse]:
        frames = fifteen_seconds(rate)
        return without_acks(segment(running[1], [chunk(0, frames)], rate_hz=rate, frame_results=True))

    return one


def fifteen_seconds(rate: float) -> F32:
    return motion(int(rate * 15), seed=11, rate_hz=rate / 3)


@settings(max_examples=8)
@given(
    sizes=st.lists(st.integers(1, 200), max_size=60),
    rest=st.sampled_from([1, 6, 1000]),
    rate=st.sampled_from([30.0, 100.0, 120.0]),
    company=st.integers(0, 3),
)
def test_the_same_frames_give_the_same_events_whatever_the_chunks_and_the_company(
    stub: Stub,
    in_one_chunk: Callable[[float], list[pb.SegmentResponse]],
    sizes: list[int],
    rest: int,
    rate: float,
    company: int,
) -> None:
    frames, expected = fifteen_seconds(rate), in_one_chunk(rate)
    assert len(events(expected)) > 4
    others = [Call(stub, config(rate)) for _ in range(company)]
    for i, other in enumerate(others):
        other.send(*cut(motion(len(frames), seed=100 + i), rest=17))
    got = without_acks(segment(stub, cut(frames, sizes, rest), rate_hz=rate, frame_results=True))
    for other in others:
        other.cancel()
    assert content(got) == content(expected)


def test_interleaved_streams_are_kept_apart(stub: Stub) -> None:
    expected = [events(segment(stub, cut(motion(600, seed=i)))) for i in range(4)]
    calls = [Call(stub, config()) for _ in range(4)]
    for requests in itertools.zip_longest(*(cut(motion(600, seed=i), rest=20 + i) for i in range(4))):
        for call, request in zip(calls, requests, strict=True):
            if request is not None:
                call.send(request)
    for call, wanted in zip(calls, expected, strict=True):
        call.half_close()
        assert content(events(call.rest())) == content(wanted)
