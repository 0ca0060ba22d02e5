"""A call of many sessions under pressure: windows, readers that stop, sessions that stand still, malformed requests."""

from __future__ import annotations

import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import InvalidRequest
from kineseg_service.api.many_request import chunks_of
from kineseg_service.server import BackgroundServer

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import SMALL, Stub, cut, events, motion, segment, session, settled, status_of, until
from tests.service.talk_many import Many, as_alone, chunks, opens, without_acks

FRAMES = motion(600)


def test_more_than_its_window_costs_a_session_and_no_other(serve: Serve) -> None:
    with serve(window_frames=100) as (_, stub):
        many = Many(stub, opens(1, 2))
        many.until_opened(1, 2)
        assert many.opened[1].window_frames == many.opened[1].opened.max_chunk_frames == 100
        many.send(chunks((2, 0, FRAMES[:100])))
        many.send(chunks((1, 0, FRAMES[:60]), (1, 60, FRAMES[60:120])))
        many.until_closed(1)
        failure = many.failure(1)
        assert failure is not None
        code, message, said = failure
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "60 frames are under way and 60 more have come, 100 may be" in message
        assert (said["reason"], said["maximum"]) == ("WINDOW_EXCEEDED", "100")
        # What was within it has been processed.
        assert many.events(1)[-1].summary.frames == 60
        # Who waits for acknowledgements may go on for ever.
        for at in range(100, 600, 100):
            many.until_acked(2, at)
            many.send(chunks((2, at, FRAMES[at : at + 100])))
        assert many.finish() is grpc.StatusCode.OK
        assert many.events(2)[-1].summary.frames == 600


def test_the_window_of_wide_frames_is_smaller(serve: Serve) -> None:
    with serve() as (_, stub):
        many = Many(stub, opens(1), opens(2, model="scratch", channels=[f"c{i}" for i in range(512)]))
        many.until_opened(1, 2)
        assert many.opened[1].window_frames == 4096
        assert many.opened[2].window_frames == many.opened[2].opened.max_chunk_frames == 512
        assert many.finish() is grpc.StatusCode.OK


def test_a_chunk_larger_than_the_queue_goes_through(serve: Serve) -> None:
    with serve(queue_frames=10, queue_responses=2) as (_, stub):
        # One frame a second: each chunk makes hundreds of model frames.
        many = Many(stub, opens(1, rate_hz=1.0, frame_results=True), opens(2))
        many.until_opened(1, 2)
        many.send(chunks((1, 0, FRAMES[:30]), (1, 30, FRAMES[30:60]), (2, 0, FRAMES)))
        assert many.finish() is grpc.StatusCode.OK
        assert many.events(1)[-1].summary.frames == 60
        assert len([each for each in many.outputs[1] if each.HasField("frame_result")]) == 59 * 30 + 1
        assert many.events(2)[-1].summary.frames == 600


def test_a_client_that_stops_reading_stops_only_its_own_call_and_loses_nothing(serve: Serve, wide: Path) -> None:
    frames = motion(2_500, 200)
    with serve(wide, queue_frames=64, queue_responses=128, window_frames=4096) as (server, stub):
        expected = without_acks(segment(stub, cut(frames), frame_results=True))
        with grpc.insecure_channel(server.address, SMALL) as channel:
            many = Many(Stub(channel), opens(1, session_id="slow", frame_results=True), opens(2, frame_results=True))
            many.until_opened(1, 2)
            window = many.opened[1].window_frames
            for at in range(0, window - window % 50, 50):
                many.send(chunks((1, at, frames[at : at + 50]), (2, at, frames[at : at + 50])))
            stuck = settled(stub, "slow")
            # The decoder has not run ahead.
            assert stuck.frames_processed < window - 50
            assert stuck.frames_received - stuck.frames_processed <= 64 + 256 + 50
            # Others go on meanwhile.
            assert events(segment(stub, cut(frames[:900])))[-1].summary.frames == 900
            assert session(stub, "slow") == stuck
            # And nothing is lost once it reads again.
            for at in range(window - window % 50, len(frames), 50):
                many.until_acked(1, at - window + 50)
                many.until_acked(2, at - window + 50)
                many.send(chunks((1, at, frames[at : at + 50]), (2, at, frames[at : at + 50])))
            assert many.finish() is grpc.StatusCode.OK
        for number in (1, 2):
            assert content(as_alone(many.outputs[number])) == content(expected)


def test_a_client_that_never_reads_again_is_given_up(serve: Serve, wide: Path) -> None:
    frames = motion(1_000, 200)
    with (
        serve(wide, idle_timeout_s=1.0, queue_responses=128, max_sessions=2) as (server, stub),
        grpc.insecure_channel(server.address, SMALL) as channel,
    ):
        many = Many(Stub(channel), opens(1, 2, frame_results=True))
        many.until_opened(1, 2)
        for at in range(0, 1000, 50):
            many.send(chunks((1, at, frames[at : at + 50]), (2, at, frames[at : at + 50])))
        until(lambda: not stub.ListSessions(pb.ListSessionsRequest()).sessions, "its slots are free")
        assert many.rest() is grpc.StatusCode.DEADLINE_EXCEEDED
        many.half_close()


def test_a_session_that_stands_still_is_ended_and_the_others_go_on(serve: Serve) -> None:
    with serve(idle_timeout_s=3.0) as (_, stub):  # in which a busy machine goes on with the other
        many = Many(stub, opens(1, 2))
        many.until_opened(1, 2)
        many.send(chunks((1, 0, FRAMES[:90])))
        at = 0
        while 1 not in many.closed:
            many.send(chunks((2, at, FRAMES[:1])))
            at += 1
            many.until_acked(2, at)
        failure = many.failure(1)
        assert failure is not None
        code, message, said = failure
        assert code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "stood still for 3 s" in message
        assert said["reason"] == "STREAM_IDLE"
        assert many.events(1)[-1].summary.reason == pb.END_REASON_IDLE
        assert many.events(1)[-1].summary.frames == 90
        assert many.finish() is grpc.StatusCode.OK
        assert many.events(2)[-1].summary.frames == at


@pytest.mark.parametrize("limit", ["idle_timeout_s", "opening_timeout_s"])
def test_a_call_without_sessions_ends(limit: str, serve: Serve) -> None:
    with serve(**{limit: 0.3}) as (_, stub):
        many = Many(stub)
        assert many.rest() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "no configuration" in status_of(many.call)[1]
        many.half_close()


def test_a_call_whose_sessions_are_all_over_ends_in_time(serve: Serve) -> None:
    with serve(idle_timeout_s=0.5) as (_, stub):
        request = opens(1)
        request.ends.append(1)
        many = Many(stub, request)
        assert many.rest() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert status_of(many.call)[1:] == (
            "the call has had no session for 0.5 s",
            {"reason": "STREAM_IDLE", "retryable": "false"},
        )
        assert many.events(1)[-1].HasField("summary")
        many.half_close()


def test_a_heavy_session_does_not_hold_up_the_others(serve: Serve) -> None:
    holes = np.where(np.random.default_rng(0).random((512, 512)) < 0.2, np.nan, 1.0).astype("<f4")
    with serve() as (_, stub):
        heavy = opens(1, model="scratch", channels=[f"c{i}" for i in range(512)])
        many = Many(stub, heavy, opens(2))
        many.until_opened(1, 2)
        many.send(chunks((1, 0, holes), (2, 0, FRAMES[:30])))
        many.until_acked(2, 30)
        assert 1 not in many.acked
        assert many.finish() is grpc.StatusCode.OK
        assert many.events(1)[-1].summary.frames == 512


NUMBERS = st.lists(st.integers(0, 5), max_size=4)
SIZES = st.lists(st.integers(0, 40), max_size=4)
REQUESTS = st.builds(
    pb.SegmentManyRequest,
    opens=st.lists(
        st.builds(
            pb.OpenSession,
            session=st.integers(0, 6),
            config=st.builds(
                pb.StreamConfig, frame_rate_hz=st.sampled_from([0.0, 30.0]), model=st.sampled_from(["", "x"])
            ),
        ),
        max_size=2,
    ),
    sessions=NUMBERS,
    first_frames=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 5), max_size=4),
    chunk_bytes=SIZES,
    data=st.binary(max_size=100),
    chunk_times=SIZES,
    capture_times_ns=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
    ends=NUMBERS,
    cancels=NUMBERS,
)


@settings(max_examples=40)
@given(wild=st.lists(REQUESTS, max_size=4))
def test_no_request_ends_as_internal_or_hurts_another_call(
    running: tuple[BackgroundServer, Stub], wild: list[pb.SegmentManyRequest]
) -> None:
    stub = running[1]
    bystander = Many(stub, opens(1))
    bystander.until_opened(1)
    bystander.send(chunks((1, 0, FRAMES[:60])))
    many = Many(stub, opens(1, 2))
    many.until_opened(1, 2)
    many.send(*wild)
    assert many.finish() in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT)
    assert many.closed.keys() >= {1, 2}
    for number in many.closed:
        failure = many.failure(number)
        assert failure is None or failure[0] in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
    bystander.send(chunks((1, 60, FRAMES[60:120])))
    assert bystander.finish() is grpc.StatusCode.OK
    assert bystander.events(1)[-1].summary.frames == 120


@given(
    parts=st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 2**40), st.binary(max_size=9), st.lists(st.integers(0, 9)))
    ),
    timed=st.booleans(),
)
def test_columns_are_taken_apart_as_they_were_put_together(
    parts: list[tuple[int, int, bytes, list[int]]], timed: bool
) -> None:
    request = pb.SegmentManyRequest(
        sessions=[part[0] for part in parts],
        first_frames=[part[1] for part in parts],
        chunk_bytes=[len(part[2]) for part in parts],
        data=b"".join(part[2] for part in parts),
        chunk_times=[len(part[3]) for part in parts] if timed else [],
        capture_times_ns=[time for part in parts for time in part[3]] if timed else [],
    )
    sent = chunks_of(request)
    places = range(len(parts))
    taken = [(sent.numbers[at], sent.firsts[at], sent.data_of(at), list(sent.times_of(at))) for at in places]
    assert taken == [(*part[:3], part[3] if timed else []) for part in parts]
    request.data += b"\0"
    with pytest.raises(InvalidRequest, match="chunk_bytes"):
        chunks_of(request)


def test_a_call_of_many_is_one_of_the_calls_that_may_wait_for_their_configuration(serve: Serve) -> None:
    with serve(max_opening=1) as (_, stub):
        never = threading.Event()

        def waits() -> grpc.Call:
            return stub.SegmentMany(iter(lambda: never.wait() and None, None))

        waiting = waits()

        def refused() -> bool:
            nonlocal waiting
            if not waiting.is_active():  # the one below was there first
                waiting = waits()
            return Many(stub).finish() is grpc.StatusCode.RESOURCE_EXHAUSTED

        until(refused, "no more calls are waited for")
        waiting.cancel()
        never.set()
