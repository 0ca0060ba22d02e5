"""Every stream has an id of its own, by which it is found as well as by its name, and every event has it."""

from __future__ import annotations

import time
import uuid

import grpc
import kineseg
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from tests.service.conftest import Serve
from tests.service.talk import Call, Stub, Watch, config, cut, events, motion, segment, status_of, until

FRAMES = motion(600)


def test_opening_says_which_stream_it_is_and_who_serves_it(stub: Stub) -> None:
    before = time.time_ns()
    calls = [Call(stub, config()) for _ in range(3)]
    opened = [call.opened() for call in calls]
    for one in opened:
        assert uuid.UUID(one.stream_id).version == 7
        assert one.session_id == one.stream_id, "a stream without a name is called by its id"
        assert before <= one.opened_unix_ns <= time.time_ns()
        assert one.server_version == kineseg.__version__
        assert uuid.UUID(one.server_id)
    assert len({one.stream_id for one in opened}) == 3
    assert len({one.server_id for one in opened}) == 1
    for call in calls:
        call.cancel()


def test_the_server_may_have_a_name_and_else_each_start_has_its_own(serve: Serve) -> None:
    servers = []
    for settings in ({"server_id": "hall-2"}, {}, {}):
        with serve(**settings) as (_, stub):
            call = Call(stub, config())
            servers.append(call.opened().server_id)
            call.cancel()
    assert servers[0] == "hall-2"
    assert len(set(servers)) == 3


def test_every_event_has_its_streams_id_and_when_it_was_emitted(stub: Stub) -> None:
    before = time.time_ns() // 1000 * 1000
    call = Call(stub, config(session_id="named"))
    opened = call.opened()
    assert opened.session_id == "named" != opened.stream_id
    call.send(*cut(FRAMES))
    call.half_close()
    emitted = events(call.rest())
    assert {event.stream_id for event in emitted} == {opened.stream_id}
    assert len({(event.stream_id, event.seq) for event in emitted}) == len(emitted) > 3
    for event in emitted:
        assert before <= event.emitted_unix_ns <= time.time_ns()
        assert event.emitted_unix_ns % 1000 == 0
    again = events(segment(stub, cut(FRAMES), session_id="named"))
    assert again[0].stream_id != opened.stream_id, "an id is never used again, though the name is"


def test_a_stream_is_found_by_its_name_and_by_its_id(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> None:
    with serve(label_bank=tmp_path_factory.mktemp("bank") / "bank.json") as (_, stub):
        call = Call(stub, config(session_id="by-name"))
        opened = call.opened()
        watch = Watch(stub, session_id=opened.stream_id)
        other = events(segment(stub, cut(FRAMES)))
        call.send(*cut(FRAMES))
        while call.read_ack() < 600:
            pass
        named, by_id = (
            stub.GetSession(pb.GetSessionRequest(session_id=name)) for name in ("by-name", opened.stream_id)
        )
        assert named == by_id
        assert (named.session.session_id, named.session.stream_id) == ("by-name", opened.stream_id)
        assert named.session.opened_unix_ns == opened.opened_unix_ns
        assert [one.stream_id for one in stub.ListSessions(pb.ListSessionsRequest()).sessions] == [opened.stream_id]
        taught = [
            stub.TeachName(pb.TeachNameRequest(name="walk", segment=pb.FinishedSegment(session_id=name, segment_id=0)))
            for name in ("by-name", opened.stream_id)
        ]
        assert len({one.name.SerializeToString() for one in taught}) == 1
        summary = stub.CloseSession(pb.CloseSessionRequest(session_id=opened.stream_id)).summary
        told_events = events(call.rest())
        assert told_events[-1].summary == summary
        until(lambda: bool(watch.seen) and watch.seen[-1].event.HasField("summary"), "the watcher has seen the end")
        assert {(one.session_id, one.event.stream_id) for one in watch.seen} == {("by-name", opened.stream_id)}
        assert other[0].stream_id != opened.stream_id
        for name in ("by-name", opened.stream_id):
            until(lambda name=name: not is_open(stub, name), "neither finds it any more")  # type: ignore[misc]
        watch.stop()


def is_open(stub: Stub, name: str) -> bool:
    try:
        stub.GetSession(pb.GetSessionRequest(session_id=name))
    except grpc.RpcError as error:
        if status_of(error)[2]["reason"] == "SESSION_UNKNOWN":  # type: ignore[arg-type]
            return False
        raise
    return True


def test_no_session_may_be_named_as_an_open_stream_is(stub: Stub) -> None:
    first = Call(stub, config(session_id="first"))
    code, message, said = status_of(Call(stub, config(session_id=first.opened().stream_id)).failure())
    assert code is grpc.StatusCode.ALREADY_EXISTS
    assert "is open already" in message
    assert (said["reason"], said["field"]) == ("SESSION_EXISTS", "config.session_id")
    first.cancel()
