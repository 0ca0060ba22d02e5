"""A stream whose call breaks is kept, and goes on where it was: its client gets what an undisturbed one does, once."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kineseg.v1 import segmentation_pb2 as pb

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import (
    Call,
    Stub,
    chunk,
    config,
    cut,
    events,
    motion,
    results,
    scraped,
    segment,
    session,
    status_of,
    until,
)
from tests.service.talk_many import Many, as_alone, chunks, opens

FRAMES = motion(600)
END = pb.SegmentRequest(end=pb.EndInput())


class Client:
    """A client of one stream that comes back as often as its call breaks."""

    def __init__(self, stub: Stub, **fields: object) -> None:
        self.stub = stub
        self.call = Call(stub, config(resumable=True, **fields))
        self.opened = self.call.opened()
        self.responses: list[pb.SegmentResponse] = []
        self.next_frame = 0

    def send(self, frames: int, size: int = 20) -> None:
        end = min(self.next_frame + frames, len(FRAMES))
        while self.next_frame < end:
            until_frame = min(self.next_frame + size, end)
            self.call.send(chunk(self.next_frame, FRAMES[self.next_frame : until_frame]))
            self.next_frame = until_frame

    def read(self, responses: int) -> None:
        for _ in range(responses):
            self.responses.append(self.call.read())

    def resume_request(self) -> pb.SegmentRequest:
        frames = [result.frame for result in results(self.responses)]
        return pb.SegmentRequest(
            resume=pb.ResumeStream(
                stream_id=self.opened.stream_id,
                resume_token=self.opened.resume_token,
                last_seq=max((event.seq for event in events(self.responses)), default=0),
                last_result_frame=max(frames, default=None),
            )
        )

    def come_back(self) -> pb.Resumed:
        self.call = Call(self.stub, self.resume_request())
        opened = self.call.opened()
        assert (opened.stream_id, opened.session_id) == (self.opened.stream_id, self.opened.session_id)
        self.next_frame = opened.resumed.next_frame
        return opened.resumed

    def finish(self) -> None:
        self.send(len(FRAMES))
        self.call.send(END)
        self.call.half_close()
        self.responses += self.call.rest()


def received(responses: Iterable[pb.SegmentResponse]) -> list[pb.SegmentResponse]:
    """Without what may be said again."""
    return [response for response in responses if not response.HasField("ack") and not response.HasField("profile")]


@pytest.fixture(scope="module")
def expected(running: tuple[object, Stub]) -> list[pb.SegmentResponse]:
    return content(received(segment(running[1], cut(FRAMES), frame_results=True)[1:]))


STEPS = st.tuples(st.integers(0, 300), st.integers(0, 40), st.sampled_from(["read first", "at once"]))


@settings(max_examples=10)
@given(st.lists(STEPS, min_size=1, max_size=4))
def test_whatever_breaks_the_client_gets_what_an_undisturbed_one_does(
    stub: Stub, expected: list[pb.SegmentResponse], steps: list[tuple[int, int, str]]
) -> None:
    client = Client(stub, frame_results=True)
    for frames, responses, when in steps:
        client.send(frames)
        if when == "read first" and client.next_frame >= 40 * 20:
            client.read(responses)
        client.call.cancel()
        client.come_back()
    client.finish()
    assert content(received(client.responses)) == expected
    assert client.call.call.code() is grpc.StatusCode.OK


def test_what_was_read_is_not_sent_again_and_what_was_not_is(stub: Stub, expected: list[pb.SegmentResponse]) -> None:
    client = Client(stub, frame_results=True)
    name = client.opened.session_id
    for at in range(100, 600, 100):
        client.send(100)
        client.read(60)
        until(lambda at=at: session(stub, name).frames_received == at, "all that was sent has arrived")  # type: ignore[misc]
        client.call.cancel()
        until(lambda: session(stub, name).parked, "the stream is parked")
        resumed = client.come_back()
        assert resumed.next_frame == at
        assert not resumed.input_ended
        assert not session(stub, name).parked
    client.finish()
    assert content(received(client.responses)) == expected


def test_a_stream_whose_end_its_client_did_not_get_gives_the_rest(
    stub: Stub, expected: list[pb.SegmentResponse]
) -> None:
    client = Client(stub, frame_results=True)
    client.send(600)
    client.call.send(END)
    client.read(30)
    until(lambda: session_gone(stub, client.opened.session_id), "all of it has been sent")
    client.call.cancel()
    before = list(client.responses)
    for _ in range(2):  # as often as it likes
        assert client.come_back() == pb.Resumed(next_frame=600, input_ended=True)
        client.responses += client.call.rest()
        assert content(received(client.responses)) == expected
        assert client.call.call.code() is grpc.StatusCode.OK
        client.responses = list(before)


def test_a_stream_that_is_closed_while_its_client_is_gone_gives_the_rest(stub: Stub) -> None:
    client = Client(stub, session_id="closed")
    client.send(100)
    assert client.call.read_ack() > 0
    client.call.cancel()
    until(lambda: session(stub, "closed").parked, "the stream is parked")
    summary = stub.CloseSession(pb.CloseSessionRequest(session_id="closed")).summary
    assert session_gone(stub, "closed")
    assert client.come_back() == pb.Resumed(next_frame=summary.frames, input_ended=True)
    assert events(client.call.rest())[-1].summary == summary


def session_gone(stub: Stub, name: str) -> bool:
    return name not in [one.session_id for one in stub.ListSessions(pb.ListSessionsRequest()).sessions]


def test_the_call_that_resumes_takes_the_stream_from_the_one_that_has_it(stub: Stub) -> None:
    client = Client(stub, session_id="fenced")
    client.send(100)
    client.read(2)
    older = client.call
    client.come_back()
    code, message, said = status_of(older.failure())
    assert (code, said["reason"], said["retryable"]) == (grpc.StatusCode.ABORTED, "RESUMED_ELSEWHERE", "false")
    assert "another call" in message
    client.finish()
    assert events(client.responses)[-1].summary.frames == 600


def refused(stub: Stub, request: pb.SegmentRequest) -> tuple[grpc.StatusCode, str, str]:
    code, message, said = status_of(Call(stub, request).failure())
    return code, message, said["reason"]


def test_an_unknown_stream_and_a_wrong_token_look_the_same(stub: Stub) -> None:
    client = Client(stub, session_id="secret")
    client.call.cancel()
    until(lambda: session(stub, "secret").parked, "the stream is parked")
    wrong, unknown = client.resume_request(), client.resume_request()
    wrong.resume.resume_token = "guessed"
    unknown.resume.stream_id = "019ac2d8-5b1c-7aaa-8bbb-000000000001"
    assert refused(stub, wrong) == refused(stub, unknown)
    code, _, reason = refused(stub, wrong)
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESUME_UNKNOWN")
    client.come_back()
    client.finish()


def test_a_stream_that_is_given_up_is_not_kept(stub: Stub) -> None:
    client = Client(stub, session_id="unwanted")
    client.send(100)
    client.call.send(pb.SegmentRequest(give_up=pb.GiveUp()))
    client.call.rest()
    assert client.call.call.code() is grpc.StatusCode.OK
    until(lambda: session_gone(stub, "unwanted"), "it is gone")
    assert refused(stub, client.resume_request())[0] is grpc.StatusCode.NOT_FOUND


def test_a_stream_that_did_not_ask_for_it_is_not_kept(stub: Stub) -> None:
    call = Call(stub, config(session_id="plain"))
    assert call.opened().resume_token == ""
    call.cancel()
    until(lambda: session_gone(stub, "plain"), "it is gone")


def test_a_half_close_without_the_end_ends_the_input_of_a_call_that_lives(stub: Stub) -> None:
    client = Client(stub)
    client.send(100)
    client.call.half_close()
    assert events(client.call.rest())[-1].summary.frames == 100


def test_parked_streams_are_dropped_in_time_and_make_room(serve: Serve) -> None:
    with serve(max_sessions=2, max_parked=1, metrics_port=0) as (server, stub):
        first, second = Client(stub, session_id="first"), Client(stub, session_id="second")
        first.call.cancel()
        until(lambda: session(stub, "first").parked, "the first is parked")
        second.call.cancel()
        # No more than one is kept.
        until(lambda: session_gone(stub, "first"), "the first has made room")
        code, message, reason = refused(stub, first.resume_request())
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESUME_EXPIRED")
        assert "make room" in message
        # And none where others need its place.
        others = [Client(stub), Client(stub)]
        assert refused(stub, second.resume_request())[2] == "RESUME_EXPIRED"
        assert scraped(server, "kineseg_parked_evicted_total") == 2
        assert scraped(server, "kineseg_resumes_refused_total") == 2
        assert scraped(server, "kineseg_streams_parked") == 0
        # A session whose client was started anew takes the name of the one that is parked.
        others[0].call.cancel()
        until(lambda: session(stub, others[0].opened.session_id).parked, "it is parked")
        again = Client(stub, session_id=others[0].opened.session_id)
        assert "of its name" in refused(stub, others[0].resume_request())[1]
        again.finish()
        others[1].finish()


def test_a_client_that_comes_too_late_hears_so(serve: Serve) -> None:
    with serve(resume_s=0.2, metrics_port=0) as (server, stub):
        client = Client(stub)
        assert client.opened.resume_s == pytest.approx(0.2)
        client.call.cancel()
        until(lambda: scraped(server, "kineseg_parked_expired_total") == 1, "it is dropped")
        assert "0.2 s" in refused(stub, client.resume_request())[1]
        finished = Client(stub)
        finished.finish()

        def is_expired() -> bool:
            said = status_of(Call(stub, finished.resume_request()).failure())[2]
            return said.get("reason") == "RESUME_EXPIRED"

        until(is_expired, "its end is not kept any more")


def test_what_is_not_kept_any_more_cannot_be_resumed(serve: Serve) -> None:
    with serve(resume_bytes=4096) as (_, stub):
        client = Client(stub, frame_results=True)
        client.send(600)
        client.call.read_ack()
        while client.call.read_ack() < 600:
            pass
        client.call.cancel()
        code, message, reason = refused(stub, client.resume_request())
        assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "RESUME_EXPIRED")
        assert "after event 0" in message


class ManyClient:
    """A client of two sessions of one call that comes back as often as the call breaks."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.many = Many(stub, opens(1, 2, resumable=True, frame_results=True))
        self.many.until_opened(1, 2)
        self.opened = {number: self.many.opened[number].opened for number in (1, 2)}
        self.outputs: dict[int, list[pb.SessionOutput]] = {1: [], 2: []}

    def send(self, first_frame: int, end: int) -> None:
        for at in range(first_frame, end, 20):
            self.many.send(chunks(*((number, at, FRAMES[at : at + 20]) for number in (1, 2))))

    def break_off(self) -> None:
        """The call breaks; what has not been read of it is lost."""
        self.many.cancel()
        for number in (1, 2):
            self.outputs[number] += self.many.outputs.get(number, [])

    def resume_requests(self) -> pb.SegmentManyRequest:
        requests = []
        for number in (1, 2):
            alone = as_alone(self.outputs[number])
            requests.append(
                pb.ResumeStream(
                    stream_id=self.opened[number].stream_id,
                    resume_token=self.opened[number].resume_token,
                    last_seq=max((event.seq for event in events(alone)), default=0),
                    last_result_frame=max((result.frame for result in results(alone)), default=None),
                )
            )
        return pb.SegmentManyRequest(
            opens=[pb.OpenSession(session=at + 1, resume=resume) for at, resume in enumerate(requests)]
        )

    def come_back(self) -> list[pb.Resumed]:
        self.many = Many(self.stub, self.resume_requests())
        self.many.until_opened(1, 2)
        return [self.many.opened[number].opened.resumed for number in (1, 2)]


def test_sessions_of_a_call_that_breaks_go_on_in_another(stub: Stub, expected: list[pb.SegmentResponse]) -> None:
    client = ManyClient(stub)
    for at in range(0, 600, 200):
        client.send(at, at + 200)
        client.many.until_acked(1, at + 100)
        taken = at + 200
        for number in (1, 2):
            name = client.opened[number].session_id
            until(lambda name=name, taken=taken: session(stub, name).frames_received == taken, "it arrives")  # type: ignore[misc]
        client.break_off()
        assert client.come_back() == [pb.Resumed(next_frame=taken)] * 2
    # Another call takes the sessions from this one, which hears of it and goes on without them.
    older = client.many
    client.outputs = {number: client.outputs[number] + older.outputs.get(number, []) for number in (1, 2)}
    client.come_back()
    older.until_closed(1, 2)
    assert [failure[2]["reason"] for failure in map(older.failure, (1, 2)) if failure] == ["RESUMED_ELSEWHERE"] * 2
    client.many.send(pb.SegmentManyRequest(ends=[1, 2]))
    client.many.until_closed(1, 2)
    # And their ends can be had again.
    at_the_end = {number: client.many.outputs[number] for number in (1, 2)}
    assert client.come_back() == [pb.Resumed(next_frame=600, input_ended=True)] * 2
    assert client.many.finish() is grpc.StatusCode.OK
    assert {number: client.many.outputs[number] for number in (1, 2)} == at_the_end
    for number in (1, 2):
        assert client.many.failure(number) is None
        got = as_alone([*client.outputs[number], *at_the_end[number]])
        assert content(received(got)) == expected
