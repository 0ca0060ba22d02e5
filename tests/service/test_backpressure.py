"""Queues are bounded: a fast sender waits, a slow reader delays only itself, an idle stream ends."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import (
    SMALL,
    Call,
    Stub,
    chunk,
    config,
    cut,
    events,
    kinds,
    motion,
    segment,
    session,
    settled,
    status_of,
    still,
    until,
)

FRAMES = motion(20_000)


def test_a_reader_that_stops_stops_only_its_own_stream_and_loses_nothing(serve: Serve, wide: Path) -> None:
    frames = motion(3_000, 200)
    with serve(wide, queue_frames=64, queue_responses=128) as (server, stub):
        expected = segment(stub, cut(frames), frame_results=True, session_id="slow")
        with grpc.insecure_channel(server.address, SMALL) as channel:
            call = Stub(channel).Segment(iter([config(session_id="slow", frame_results=True), *cut(frames)]))
            assert next(call).opened.session_id == "slow"
            stuck = settled(stub, "slow")
            # Neither the decoder nor the reading of requests has run ahead.
            assert stuck.frames_processed < 1_500
            assert stuck.frames_received - stuck.frames_processed <= 64 + 50 + 50
            # Others go on meanwhile.
            assert events(segment(stub, cut(frames[:900])))[-1].summary.frames == 900
            assert session(stub, "slow") == stuck
            # And nothing is lost once it reads again.
            assert content(call) == content(expected[1:])


def test_a_sender_that_never_ends_waits_for_a_reader_that_stopped(serve: Serve, wide: Path) -> None:
    block = motion(50, 200)
    with (
        serve(wide, queue_frames=64, queue_responses=128) as (server, stub),
        grpc.insecure_channel(server.address, SMALL) as channel,
    ):
        sent = 0

        def requests() -> Iterator[pb.SegmentRequest]:
            nonlocal sent
            yield config(session_id="slow", frame_results=True)
            for at in itertools.count(step=50):
                yield chunk(at, block)
                sent = at

        call = Stub(channel).Segment(requests())
        assert next(call).opened.session_id == "slow"
        settled(stub, "slow")
        assert still(stub, lambda: sent) > 0
        call.cancel()


def test_a_stuck_reader_is_given_up_after_a_while(serve: Serve) -> None:
    with serve(idle_timeout_s=1.0, queue_responses=128, max_sessions=1) as (server, stub):
        with grpc.insecure_channel(server.address, SMALL) as channel:
            call = Stub(channel).Segment(iter([config(frame_results=True), *cut(FRAMES)]))
            assert next(call).HasField("opened")
            until(lambda: not stub.ListSessions(pb.ListSessionsRequest()).sessions, "its slot is free")
            with pytest.raises(grpc.RpcError):
                list(call)
            assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED

        def another() -> bool:
            try:
                return kinds(segment(stub, cut(FRAMES[:90])))[-1] == "summary"
            except grpc.RpcError:  # on a busy machine it may stand still for a second, too
                return False

        until(another, "another one gets it")


def test_a_stream_that_stands_still_is_ended_with_its_summary(serve: Serve) -> None:
    with serve(idle_timeout_s=1.0) as (_, stub):
        call = Call(stub, config())
        call.send(*cut(FRAMES[:300]))
        responses = call.rest()
        code, message, metadata = status_of(call.failure())
        assert code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "stood still for 1 s" in message
        assert metadata == {"reason": "STREAM_IDLE", "retryable": "false"}
        assert events(responses)[-1].summary.reason == pb.END_REASON_IDLE
        # All that was accepted is in it: 300 frames, unless the machine itself stood still.
        accepted = [response.ack.frames for response in responses if response.HasField("ack")]
        assert events(responses)[-1].summary.frames == max(accepted, default=0)


@pytest.mark.parametrize("limit", ["idle_timeout_s", "opening_timeout_s"])
def test_a_stream_that_never_says_what_it_is_ends(limit: str, serve: Serve) -> None:
    with serve(**{limit: 0.3}) as (_, stub):
        never = threading.Event()

        def silence() -> Iterator[pb.SegmentRequest]:
            never.wait()
            yield from ()

        call = stub.Segment(silence())
        with pytest.raises(grpc.RpcError):
            list(call)
        never.set()
        assert status_of(call)[0] == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "no configuration" in status_of(call)[1]


def test_a_chunk_larger_than_the_queue_goes_through(serve: Serve) -> None:
    with serve(queue_frames=10, queue_responses=2) as (_, stub):
        # One frame a second: each chunk makes hundreds of model frames.
        responses = segment(stub, cut(FRAMES[:60], rest=30), rate_hz=1.0, frame_results=True)
        assert events(responses)[-1].summary.frames == 60
        assert len([r for r in responses if r.HasField("frame_result")]) == 59 * 30 + 1


def test_a_stream_whose_frames_are_being_stepped_is_not_idle(serve: Serve) -> None:
    # One chunk of more than six minutes in which nothing happens that could be emitted.
    long = [chunk(0, np.zeros((400, 3), "<f4"))]
    with serve() as (_, stub):
        began = time.monotonic()
        segment(stub, long, rate_hz=1.0)
        took_s = time.monotonic() - began
    with serve(idle_timeout_s=max(0.1, took_s / 2)) as (_, stub):
        assert kinds(segment(stub, long, rate_hz=1.0))[-1] == "summary"
