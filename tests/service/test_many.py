"""Sessions that share a call are as those with a call of their own, and none of them hurts another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.server import BackgroundServer
from kineseg_service.streams.feeder import TOGETHER

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import (
    F32,
    Call,
    Stub,
    Watch,
    config,
    cut,
    events,
    motion,
    segment,
    status_of,
    until,
)
from tests.service.talk_many import Many, as_alone, chunks, opens, without_acks

FRAMES = [motion(600, seed=seed) for seed in range(4)]
PERIOD_NS = 33_333_333
Alone = Callable[[int, bool], list[pb.SegmentResponse]]


@pytest.fixture(scope="module")
def alone(running: tuple[BackgroundServer, Stub]) -> Alone:
    """What a stream of these frames gives with a call of its own."""

    @cache
    def one(seed: int, timed: bool) -> list[pb.SegmentResponse]:
        times = [PERIOD_NS * at for at in range(600)] if timed else ()
        return content(without_acks(segment(running[1], cut(FRAMES[seed], times=times), frame_results=True)))

    return one


@settings(max_examples=6)
@given(
    turns=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 200), st.booleans()), max_size=30),
    rest=st.integers(1, 300),
    timed=st.sets(st.integers(1, 4)),
)
def test_sessions_of_a_call_give_what_calls_of_their_own_do(
    running: tuple[BackgroundServer, Stub],
    alone: Alone,
    turns: list[tuple[int, int, bool]],
    rest: int,
    timed: set[int],
) -> None:
    """However they are chunked and interleaved, and whenever they are opened and ended.

    `turns` says whose chunk comes next, of how many frames, and whether the message is sent then.
    """
    many = Many(running[1])
    numbers: dict[int, int] = {}  # of each stream that has been opened, its session
    at = dict.fromkeys(range(1, 5), 0)
    sent: list[tuple[int, int, F32]] = []
    times: list[list[int]] = []
    for stream, size, is_last in [*turns, *((n % 4 + 1, rest, n % 3 == 0) for n in range(4 * 600 // rest + 8))]:
        first, end = at[stream], min(600, at[stream] + size)
        if stream not in numbers:
            numbers[stream] = len(numbers) + 1
            many.send(opens(numbers[stream], frame_results=True))
            many.until_opened(numbers[stream])
        if first < end:
            at[stream] = end
            sent.append((numbers[stream], first, FRAMES[stream - 1][first:end]))
            times.append([PERIOD_NS * i for i in range(first, end)] if stream in timed else [])
        if is_last:
            request = chunks(*sent, times=times if any(times) else ())
            request.ends.extend({n for n, first, frames in sent if first + len(frames) == 600})
            many.send(request)
            sent, times = [], []
    many.send(chunks(*sent, times=times))
    assert many.finish() is grpc.StatusCode.OK
    for stream, number in numbers.items():
        assert many.failure(number) is None
        assert many.acked[number][-1] == 600
        assert content(as_alone(many.outputs[number])) == alone(stream - 1, stream in timed)


def test_a_session_has_its_place_among_all_sessions(stub: Stub) -> None:
    watch = Watch(stub, session_id="shared-1")
    many = Many(stub, opens(1, session_id="shared-1"), opens(2, session_id="shared-2", return_profile=True))
    many.until_opened(1, 2)
    assert many.opened[1].opened.session_id == "shared-1"
    assert many.opened[1].opened.model.name == "tiny"
    many.send(chunks((1, 0, FRAMES[0][:200]), (2, 0, FRAMES[1][:200])))
    many.until_acked(1, 200)
    many.until_acked(2, 200)
    sessions = {s.session_id: s for s in stub.ListSessions(pb.ListSessionsRequest()).sessions}
    assert sessions["shared-1"].frames_processed == 200
    detail = stub.GetSession(pb.GetSessionRequest(session_id="shared-2", with_profile=True))
    assert detail.session.stream_id == many.opened[2].opened.stream_id
    assert detail.profile
    summary = stub.CloseSession(pb.CloseSessionRequest(session_id="shared-1")).summary
    assert (summary.frames, summary.reason) == (200, pb.END_REASON_CLOSED)
    many.until_closed(1)
    assert many.failure(1) is None
    assert many.events(1)[-1].summary == summary
    # The other goes on, and what still comes for the one that is closed is passed over.
    many.send(chunks((1, 200, FRAMES[0][200:300]), (2, 200, FRAMES[1][200:400])))
    many.until_acked(2, 400)
    assert many.finish() is grpc.StatusCode.OK
    assert many.events(2)[-1].summary.frames == 400
    assert any(output.HasField("profile") for output in many.outputs[2])
    until(lambda: bool(watch.seen) and watch.seen[-1].event.HasField("summary"), "the watcher sees the end")
    watch.stop()
    assert [watched.event for watched in watch.seen] == many.events(1)


def cancel(many: Many, stub: Stub) -> None:
    many.send(pb.SegmentManyRequest(cancels=[1]))
    many.until_closed(1)
    assert many.failure(1) is None
    assert not any(event.HasField("summary") for event in many.events(1))


def poison(many: Many, stub: Stub) -> None:
    many.send(chunks((1, 300, np.full((20, 3), 5000.0, "<f4"))))
    many.until_closed(1)
    failure = many.failure(1)
    assert failure is not None
    code, message, said = failure
    assert code is grpc.StatusCode.INTERNAL
    assert said["error_id"] in message


def malform(many: Many, stub: Stub) -> None:
    request = chunks((1, 300, FRAMES[0][:1]))
    request.data += b"\0\0"
    request.chunk_bytes[0] += 2
    many.send(request)
    many.until_closed(1)
    failure = many.failure(1)
    assert failure is not None
    code, message, said = failure
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "not a multiple of 12" in message
    assert (said["reason"], said["field"], said["retryable"]) == ("CHUNK_MALFORMED", "data", "false")
    assert many.events(1)[-1].summary.reason == pb.END_REASON_REJECTED
    assert many.events(1)[-1].summary.frames == 300


def close(many: Many, stub: Stub) -> None:
    stub.CloseSession(pb.CloseSessionRequest(session_id=many.opened[1].opened.session_id))
    many.until_closed(1)


@pytest.mark.parametrize("harm", [cancel, poison, malform, close])
def test_what_happens_to_one_session_changes_no_other(stub: Stub, harm: Callable[[Many, Stub], None]) -> None:
    expected = [without_acks(segment(stub, cut(frames), model="fragile", frame_results=True)) for frames in FRAMES[1:]]
    many = Many(stub, opens(1, model="fragile"))
    many.send(opens(2, 3, 4, model="fragile", frame_results=True))
    many.until_opened(1, 2, 3, 4)
    many.send(chunks(*((n, 0, FRAMES[n - 1][:300]) for n in (1, 2, 3, 4))))
    many.until_acked(1, 300)
    harm(many, stub)
    many.send(chunks(*((n, 300, FRAMES[n - 1][300:]) for n in (2, 3, 4))))
    assert many.finish() is grpc.StatusCode.OK
    for number, wanted in zip((2, 3, 4), expected, strict=True):
        assert content(as_alone(many.outputs[number])) == content(wanted)
    # Its name is free again.
    name = many.opened[1].opened.session_id
    assert events(segment(stub, cut(FRAMES[0]), session_id=name))[-1].summary.frames == 600


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"model": "no-such-model"}, grpc.StatusCode.NOT_FOUND, "config.model"),
        ({"rate_hz": 0.0}, grpc.StatusCode.INVALID_ARGUMENT, "config.frame_rate_hz"),
        ({"channels": ["x", "y", "z"]}, grpc.StatusCode.FAILED_PRECONDITION, "config.channels"),
        ({"session_id": "taken"}, grpc.StatusCode.ALREADY_EXISTS, "config.session_id"),
    ],
)
def test_a_session_that_is_refused_is_the_only_one(
    stub: Stub, fields: dict[str, object], code: grpc.StatusCode, field: str
) -> None:
    taken = Call(stub, config(session_id="taken"))
    taken.opened()
    many = Many(stub, opens(1), opens(2, **fields), opens(3))
    many.until_opened(1, 2, 3)
    failure = many.failure(2)
    assert failure is not None
    assert (failure[0], failure[2]["field"]) == (code, field)
    many.send(chunks((1, 0, FRAMES[0]), (2, 0, FRAMES[1]), (3, 0, FRAMES[2])))
    assert many.finish() is grpc.StatusCode.OK
    assert [many.events(n)[-1].summary.frames for n in (1, 3)] == [600, 600]
    taken.half_close()
    taken.rest()


def test_many_chunks_of_one_message_are_as_those_of_many(stub: Stub) -> None:
    """Also where among them are a second one of a session, one with holes, and one whose bytes are no frames."""
    count, twice, broken, holed = TOGETHER + 4, 5, 7, 9
    frames, holes = FRAMES[1][:120], FRAMES[1][:120].copy()
    holes[50, 0] = np.nan
    many = Many(stub, opens(*range(1, count + 1), frame_results=True))
    many.until_opened(*range(1, count + 1))
    for first, end in ((0, 40), (40, 80), (80, 120)):
        sent = [(n, first, (holes if n == holed else frames)[first:end]) for n in range(1, count + 1)]
        if first == 40:
            sent[twice - 1 : twice] = [(twice, 40, frames[40:49]), (twice, 49, frames[49:80])]
        request = chunks(*sent)
        if first == 80:
            begin = sum(request.chunk_bytes[: broken - 1])
            request.data = request.data[:begin] + b"!" + request.data[begin:]
            request.chunk_bytes[broken - 1] += 1
        many.send(request)
    assert many.finish() is grpc.StatusCode.OK
    failure = many.failure(broken)
    assert failure is not None
    assert "not a multiple" in failure[1]
    expected = content(without_acks(segment(stub, cut(frames), frame_results=True)))
    for n in set(range(1, count + 1)) - {broken, holed}:
        assert content(as_alone(many.outputs[n])) == expected
    assert many.events(holed)[-1].summary.missing_values == 1


def test_frames_before_a_session_is_open_are_refused(stub: Stub) -> None:
    request = opens(1, 2)
    request.MergeFrom(chunks((1, 0, FRAMES[0][:10])))
    many = Many(stub, request)
    many.until_opened(1, 2)
    failure = many.failure(1)
    assert failure is not None
    assert (failure[0], failure[2]["reason"]) == (grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_UNEXPECTED")
    assert 2 in many.opened
    assert many.finish() is grpc.StatusCode.OK


def test_a_session_may_be_ended_and_given_up_before_it_is_open(stub: Stub) -> None:
    request = opens(1, 2, 3)
    request.ends.append(1)
    request.cancels.append(2)
    many = Many(stub, request)
    many.until_closed(1, 2)
    assert many.events(1)[-1].summary.frames == 0
    assert 2 not in many.opened
    assert many.finish() is grpc.StatusCode.OK
    assert many.events(3)[-1].summary.frames == 0
    assert many.failure(1) is many.failure(2) is many.failure(3) is None


def test_every_session_is_closed_before_the_call_ends(stub: Stub) -> None:
    for _ in range(5):
        many = Many(stub, opens(1, 2, 3))
        many.until_opened(1, 2, 3)
        many.send(chunks((1, 0, FRAMES[0]), (2, 0, FRAMES[1])), pb.SegmentManyRequest(cancels=[1, 3]))
        assert many.finish() is grpc.StatusCode.OK
        assert many.closed.keys() == {1, 2, 3}
        assert many.failure(1) is many.failure(2) is many.failure(3) is None


def test_a_call_has_so_many_sessions_at_once(serve: Serve) -> None:
    with serve(max_sessions_per_call=2) as (_, stub):
        many = Many(stub, opens(1, 2, 3))
        many.until_opened(1, 2, 3)
        failure = many.failure(3)
        assert failure is not None
        assert (failure[0], failure[2]["maximum"]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "2")
        many.send(pb.SegmentManyRequest(ends=[1]))
        many.until_closed(1)
        many.send(opens(4))
        many.until_opened(4)
        assert 4 in many.opened
        assert many.finish() is grpc.StatusCode.OK


def test_a_client_that_vanishes_frees_all_slots(serve: Serve) -> None:
    with serve(max_sessions=3) as (server, stub):
        with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            many = Many(Stub(channel), opens(1, 2, 3))
            many.until_opened(1, 2, 3)
            many.send(chunks(*((n, 0, FRAMES[0]) for n in (1, 2, 3))))
            many.until_acked(3, 600)
        many.half_close()
        until(lambda: not stub.ListSessions(pb.ListSessionsRequest()).sessions, "the sessions are gone")
        assert events(segment(stub, cut(FRAMES[0])))[-1].summary.frames == 600


def test_a_cancelled_call_frees_all_slots(serve: Serve) -> None:
    with serve(max_sessions=3) as (_, stub):
        for _ in range(3):
            many = Many(stub, opens(1, 2, 3))
            many.until_opened(1, 2, 3)
            assert len(many.opened) == 3
            many.send(chunks(*((n, 0, FRAMES[0]) for n in (1, 2, 3))))
            many.cancel()
            until(lambda: not stub.ListSessions(pb.ListSessionsRequest()).sessions, "the sessions are gone")


def test_names_are_free_as_soon_as_their_client_has_left(stub: Stub) -> None:
    for _ in range(20):
        many = Many(stub, *(opens(n, session_id=f"again-{n}") for n in (1, 2, 3)))
        many.until_opened(1, 2, 3)
        assert not many.closed
        # Within a call that has lasted for longer, too.
        many.send(pb.SegmentManyRequest(cancels=[1]), opens(4, session_id="again-1"))
        many.until_opened(4)
        assert many.closed.keys() == {1}
        many.cancel()


def test_a_server_that_shuts_down_ends_all_sessions_with_their_summaries(serve: Serve) -> None:
    with serve() as (server, stub):
        many, empty = Many(stub, opens(1, 2)), Many(stub, opens(1))
        many.until_opened(1, 2)
        empty.send(pb.SegmentManyRequest(ends=[1]))
        empty.until_closed(1)
        many.send(chunks((1, 0, FRAMES[0]), (2, 0, FRAMES[1])))
        many.until_acked(1, 600)
        many.until_acked(2, 600)
        server.stop()
        assert many.rest() is empty.rest() is grpc.StatusCode.OK
        for number in (1, 2):
            assert many.events(number)[-1].summary.reason == pb.END_REASON_DRAINED
            assert many.events(number)[-1].summary.frames == 600
            assert many.failure(number) is None


def test_sessions_that_end_in_every_way_leave_every_slot_free_and_clean(serve: Serve, tmp_path: Path) -> None:
    with serve(max_sessions=6) as (_, stub):
        expected = without_acks(segment(stub, cut(FRAMES[0]), frame_results=True))
        random = np.random.default_rng(0)
        many = Many(stub)
        for turn in range(60):
            number = turn + 1
            many.send(opens(number, frame_results=True))
            many.until_opened(number)
            if number not in many.opened:
                continue
            many.send(chunks((number, 0, FRAMES[1][: int(random.integers(1, 600))])))
            how = int(random.integers(0, 4))
            if how == 0:
                many.send(pb.SegmentManyRequest(cancels=[number]))
            elif how == 1:
                many.send(pb.SegmentManyRequest(ends=[number]))
            elif how == 2:
                many.send(chunks((number, 0, FRAMES[1][:1])))
            else:
                with contextlib.suppress(grpc.RpcError):
                    stub.CloseSession(pb.CloseSessionRequest(session_id=many.opened[number].opened.stream_id))
        many.until_closed(*range(1, 61))
        assert not stub.ListSessions(pb.ListSessionsRequest()).sessions
        many.send(opens(*range(61, 67), frame_results=True))
        many.until_opened(*range(61, 67))
        assert many.opened.keys() >= set(range(61, 67))
        many.send(*(chunks(*((n, at, FRAMES[0][at : at + 50]) for n in range(61, 67))) for at in range(0, 600, 50)))
        assert many.finish() is grpc.StatusCode.OK
        for number in range(61, 67):
            assert content(as_alone(many.outputs[number])) == content(expected)


def test_what_cannot_be_taken_apart_ends_the_call_after_what_came_before(stub: Stub) -> None:
    many = Many(stub, opens(1, 2))
    many.until_opened(1, 2)
    many.send(chunks((1, 0, FRAMES[0]), (2, 0, FRAMES[1])))
    many.send(pb.SegmentManyRequest(sessions=[1], first_frames=[600], chunk_bytes=[12, 12], data=bytes(24)))
    assert many.rest() is grpc.StatusCode.INVALID_ARGUMENT
    many.half_close()
    code, message, said = status_of(many.call)
    assert "1 sessions, 1 first_frames and 2 chunk_bytes" in message
    assert (said["reason"], said["field"]) == ("FIELD_INVALID", "sessions")
    for number in (1, 2):
        assert many.events(number)[-1].summary.frames == 600
        assert many.events(number)[-1].summary.reason == pb.END_REASON_REJECTED
        failure = many.failure(number)
        assert failure is not None
        assert failure[:2] == (code, message)
