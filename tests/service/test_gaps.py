"""Gaps over the wire: filled when short, cutting the stream when long, and never its end."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import F32, Stub, chunk, config, events, kinds, motion, results, segment


def pieces(
    frames: F32, *, starts: list[int], sizes: list[int] | None = None, rest: int = 50
) -> list[pb.SegmentRequest]:
    """Chunks of consecutive stretches of `frames`, of which the n-th begins at index `starts[n]` of the stream."""
    requests = []
    size = itertools.chain(sizes or [], itertools.repeat(rest))
    for stretch, start in zip(np.array_split(frames, len(starts)), starts, strict=True):
        at = 0
        while at < len(stretch):
            n = next(size)
            requests.append(chunk(start + at, stretch[at : at + n]))
            at += n
    return requests


def closed(emitted: list[pb.Event]) -> list[pb.SegmentClosed]:
    return [event.segment_closed for event in emitted if event.WhichOneof("detail") == "segment_closed"]


@pytest.mark.parametrize("model", ["tiny", "scratch"])
@pytest.mark.parametrize("rate", [30.0, 120.0, 1.0])
def test_a_long_gap_closes_the_segment_and_the_stream_goes_on(stub: Stub, model: str, rate: float) -> None:
    half = 60 if rate == 1.0 else 450  # of few frames a second many model frames are made
    frames = motion(2 * half, rate_hz=rate)
    jump = half + round(20 * rate)
    emitted = events(segment(stub, pieces(frames, starts=[0, jump]), rate, model=model, channels=["c0", "c1", "c2"]))
    gap = next(event for event in emitted if event.WhichOneof("detail") == "gap")
    assert gap.gap.cuts
    assert (gap.frame, gap.decided_frame, gap.gap.missing_frames) == (half, jump, jump - half)
    segments = closed(emitted)
    edges = [(s.start_frame, s.end_frame) for s in segments]
    assert edges[0][0] == 0
    assert edges[-1][1] == jump + half
    assert [b for (_, a), (b, _) in itertools.pairwise(edges) if a != b] == [jump]  # one hole, the gap's
    assert half in {end for _, end in edges}
    assert jump in {start for start, _ in edges}
    ids = [s.segment_id for s in segments]
    assert ids == sorted(set(ids))
    assert [event.seq for event in emitted] == list(range(1, len(emitted) + 1))
    assert emitted[-1].summary.frames == 2 * half
    assert emitted[-1].summary.reason == pb.END_REASON_COMPLETED


def test_behind_a_gap_the_model_begins_afresh(stub: Stub) -> None:
    frames = motion(900)
    whole = segment(stub, pieces(frames, starts=[0, 4000, 9000]), frame_results=True)
    stretches = [segment(stub, pieces(part, starts=[0]), frame_results=True) for part in np.array_split(frames, 3)]
    for field in ("surprise", "embedding"):
        got = [getattr(result, field) for result in results(whole)]
        alone = [getattr(result, field) for stretch in stretches for result in results(stretch)]
        np.testing.assert_array_equal(np.array(got), np.array(alone))


@settings(max_examples=8)
@given(
    sizes=st.lists(st.integers(1, 200), max_size=12),
    jumps=st.lists(st.integers(0, 300), min_size=1, max_size=4),
    rate=st.sampled_from([10.0, 30.0, 100.0]),
    model=st.sampled_from(["tiny", "scratch"]),
)
def test_gaps_of_any_length_give_the_same_however_chunked(
    stub: Stub, sizes: list[int], jumps: list[int], rate: float, model: str
) -> None:
    frames = motion(600, rate_hz=rate)
    lengths = [len(part) for part in np.array_split(frames, len(jumps) + 1)]
    starts = [0]
    for length, jump in zip(lengths[:-1], jumps, strict=True):
        starts.append(starts[-1] + length + jump)
    emitted = [
        events(
            segment(
                stub,
                pieces(frames, starts=starts, sizes=cut, rest=rest),
                rate,
                model=model,
                channels=["c0", "c1", "c2"],
                session_id="gaps",
            )
        )
        for cut, rest in (([], 64), (sizes, 7))
    ]
    assert content(emitted[0]) == content(emitted[1])
    gaps = [event.gap for event in emitted[0] if event.WhichOneof("detail") == "gap"]
    assert [gap.missing_frames for gap in gaps] == [jump for jump in jumps if jump]
    assert [gap.cuts for gap in gaps] == [(jump + 1) / rate > 1.0 for jump in jumps if jump]


@pytest.mark.parametrize("rate", [1.0, 1.2, 2.0])
def test_a_lost_frame_of_a_slow_source_is_filled(stub: Stub, rate: float) -> None:
    frames = motion(60, rate_hz=rate)
    emitted = events(segment(stub, pieces(frames, starts=[0, 31]), rate))
    gap = next(event.gap for event in emitted if event.WhichOneof("detail") == "gap")
    assert (gap.missing_frames, gap.cuts) == (1, False)
    assert emitted[-1].summary.filled_frames == 1


def test_the_server_says_what_it_fills(serve: Serve, tiny: Path) -> None:
    with serve(tiny, max_gap_s=0.25) as (_, stub):
        for rate, longest in ((30.0, 0.25), (2.0, 1.25)):
            opened = next(stub.Segment(iter([config(rate)]))).opened
            assert opened.max_gap_s == pytest.approx(longest)


def test_a_pause_in_the_capture_times_is_a_gap_too(stub: Stub) -> None:
    frames = motion(600)
    times = [round((i / 30 + (3.0 if i >= 300 else 0.0)) * 1e9) for i in range(600)]
    requests = [chunk(at, frames[at : at + 50], times[at : at + 50]) for at in range(0, 600, 50)]
    emitted = events(segment(stub, requests))
    gap = next(event for event in emitted if event.WhichOneof("detail") == "gap")
    assert (gap.frame, gap.gap.missing_frames, gap.gap.cuts) == (300, 90, True)
    assert {(s.end_frame, round(s.end_time_s, 3)) for s in closed(emitted)} >= {(300, 10.0)}
    assert emitted[-1].summary.frames == 600
    assert emitted[-1].summary.duration_s == pytest.approx(23.0, abs=0.01)


def test_nothing_but_gaps_is_fine(stub: Stub) -> None:
    frames = motion(40)
    responses = segment(stub, pieces(frames, starts=[i * 1000 for i in range(40)]))
    emitted = events(responses)
    assert kinds(responses).count("gap") == 39
    assert [(s.start_frame, s.end_frame) for s in closed(emitted)] == [(i * 1000, i * 1000 + 1) for i in range(40)]
    assert emitted[-1].summary.frames == 40
