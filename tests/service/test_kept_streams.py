"""Streams outlive their server: another one, or the same started anew, goes on with them from a real store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_service.streams import keeping

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.stores.servers import redis_server
from tests.service.talk import Call, Stub, chunk, cut, scraped, segment, session, status_of, until
from tests.service.talk_many import as_alone, chunks
from tests.service.test_resume import END, FRAMES, Client, ManyClient, received, session_gone


@pytest.fixture(params=["sqlite", "redis"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    (tmp_path / "key").write_bytes(bytes(range(32)))
    common = {"store_key": tmp_path / "key", "store_interval_s": 0.1}
    if request.param == "sqlite":
        yield {"store": f"sqlite:{tmp_path / 'streams.db'}", **common}
        return
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        yield {"store": server.url, **common}


@pytest.fixture(scope="module")
def expected(running: tuple[object, Stub]) -> list[pb.SegmentResponse]:
    return content(received(segment(running[1], cut(FRAMES), frame_results=True)[1:]))


def durable(client: Client) -> int:
    """So many frames are safe, as far as the client knows."""
    return max((each.ack.durable_frames for each in client.responses if each.HasField("ack")), default=0)


def until_durable(client: Client, least: int) -> None:
    """Sends on, and reads, until so many frames are safe."""

    def is_safe() -> bool:
        client.send(1, size=1)
        while not client.responses or not client.responses[-1].HasField("ack"):
            client.read(1)
        if durable(client) < least:
            client.read(1)
        return durable(client) >= least

    until(is_safe, "frames become durable")


def come_back(client: Client, stub: Stub) -> None:
    """Comes back to another server, where nothing that has been processed is lost, and nothing is there unsent."""
    client.stub = stub
    processed = max((each.ack.frames for each in client.responses if each.HasField("ack")), default=0)
    sent = client.next_frame
    assert processed <= client.come_back().next_frame <= sent


def test_another_server_goes_on_and_the_first_one_stops(
    serve: Serve, stored: dict[str, Any], expected: list[pb.SegmentResponse]
) -> None:
    with serve(**stored) as (_, one), serve(**stored) as (_, other):
        client = Client(one, session_id="same", frame_results=True)
        client.send(200)
        until_durable(client, 200)
        first, sent = client.call, client.next_frame  # as many as it took to become safe
        client.stub = other
        before = one.GetSession(pb.GetSessionRequest(session_id="same"))
        resumed = client.come_back()
        assert 200 <= resumed.next_frame <= len(FRAMES)
        after = other.GetSession(pb.GetSessionRequest(session_id="same"))
        assert after.segments
        assert list(after.segments) == before.segments[: len(after.segments)]
        same = ("stream_id", "session_id", "opened_unix_ns", "model", "frame_rate_hz", "latency_s", "alarms_per_hour")
        assert [getattr(after.session, name) for name in same] == [getattr(before.session, name) for name in same]
        assert after.session.frames_received == resumed.next_frame
        assert after.session.last_seq > 0
        first.send(chunk(sent, FRAMES[:40]))
        code, _, said = status_of(first.failure())
        assert (code, said["reason"]) == (grpc.StatusCode.ABORTED, "RESUMED_ELSEWHERE")
        client.finish()
        assert content(received(client.responses)) == expected


def test_a_server_that_is_started_anew_goes_on_with_what_it_had(
    serve: Serve, stored: dict[str, Any], expected: list[pb.SegmentResponse]
) -> None:
    with ExitStack() as stack:
        client = None
        for frames in (150, 150, 300):
            with serve(**{**stored, "store_interval_s": 600.0}) as (_, stub):
                if client is None:
                    client = Client(stub, session_id="same", frame_results=True)
                else:
                    come_back(client, stub)
                client.send(frames)
                client.read(30)
        assert client is not None
        _, stub = stack.enter_context(serve(**stored))
        come_back(client, stub)
        client.finish()
        assert content(received(client.responses)) == expected


def test_who_can_read_the_store_reads_nothing_of_a_stream(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(range(32)))
    stored = {"store": f"sqlite:{tmp_path / 'streams.db'}", "store_key": tmp_path / "key", "store_interval_s": 0.1}
    with serve(**stored) as (_, stub):
        client = Client(stub, session_id="what-nobody-may-read")
        client.send(100)
        until_durable(client, 100)
        lying = b"".join(each.read_bytes() for each in tmp_path.glob("streams.db*"))
        assert client.opened.stream_id.encode() in lying
        assert b"what-nobody-may-read" not in lying


def test_who_has_another_token_or_another_stream_gets_nothing(serve: Serve, stored: dict[str, Any]) -> None:
    with serve(**stored) as (_, one), serve(**stored) as (_, other):
        client = Client(one)
        client.send(100)
        until_durable(client, 100)
        for wrong in ({"resume_token": "guessed"}, {"stream_id": "another"}):
            wanted = client.resume_request()
            for name, value in wrong.items():
                setattr(wanted.resume, name, value)
            assert status_of(Call(other, wanted).failure())[0] is grpc.StatusCode.NOT_FOUND
        client.send(100)
        until_durable(client, 200)  # no one took it over


def test_sessions_of_one_call_go_on_at_other_servers(
    serve: Serve, stored: dict[str, Any], expected: list[pb.SegmentResponse]
) -> None:
    with serve(**stored) as (_, one), serve(**stored) as (other_server, other), serve(**stored) as (_, last):
        client = ManyClient(one)
        client.send(0, 200)
        # Nothing more is sent, and it is said all the same.
        while min(client.many.durable.get(number, 0) for number in (1, 2)) < 200:
            client.many.read()
        older = client.many
        client.outputs = {number: list(older.outputs.get(number, [])) for number in (1, 2)}
        client.stub = other
        assert client.come_back() == [pb.Resumed(next_frame=200)] * 2
        older.send(chunks(*((number, 200, FRAMES[200:220]) for number in (1, 2))))
        older.until_closed(1, 2)
        assert [failure[2]["reason"] for failure in map(older.failure, (1, 2)) if failure] == ["RESUMED_ELSEWHERE"] * 2
        client.send(200, 400)
        client.many.until_acked(1, 300)
        other_server.stop()
        client.many.rest()
        code, _, said = status_of(client.many.call)
        assert (code, said["reason"]) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert not client.many.closed
        for number in (1, 2):
            client.outputs[number] += client.many.outputs.get(number, [])
        client.stub = last
        resumed = client.come_back()
        for number, here in enumerate(resumed, 1):
            assert 300 <= here.next_frame <= 400
            for at in range(here.next_frame, len(FRAMES), 20):
                client.many.send(chunks((number, at, FRAMES[at : at + 20])))
        client.many.send(pb.SegmentManyRequest(ends=[1, 2]))
        client.many.until_closed(1, 2)
        client.break_off()
        for number in (1, 2):
            assert client.many.failure(number) is None
            assert content(received(as_alone(client.outputs[number]))) == expected


def test_the_end_of_a_stream_can_be_had_of_another_server(
    serve: Serve, stored: dict[str, Any], expected: list[pb.SegmentResponse]
) -> None:
    with serve(**stored) as (_, one):
        client = Client(one, session_id="same", frame_results=True, return_profile=True)
        client.send(600)
        client.call.send(END)
        client.read(30)
        until(lambda: session_gone(one, "same"), "all of it has been sent")
        refused = Client(one)
        refused.send(100)
        refused.call.send(chunk(50, FRAMES[50:60]))
        error = status_of(refused.call.failure())
        many = ManyClient(one)
        many.send(0, 600)
        many.many.send(pb.SegmentManyRequest(ends=[1, 2]))
        many.many.until_closed(1, 2)
    with serve(**stored) as (_, client.stub):
        refused.stub = many.stub = client.stub
        for _ in range(2):  # as often as it likes
            before = list(client.responses)
            assert client.come_back() == pb.Resumed(next_frame=600, input_ended=True)
            client.responses += client.call.rest()
            assert client.call.call.code() is grpc.StatusCode.OK
            assert [each.HasField("profile") for each in client.responses].count(True) == 1
            assert content(received(client.responses)) == expected
            client.responses = before
        assert refused.come_back() == pb.Resumed(next_frame=100, input_ended=True)
        assert status_of(refused.call.failure()) == error
        assert many.come_back() == [pb.Resumed(next_frame=600, input_ended=True)] * 2
        many.many.until_closed(1, 2)
        for number in (1, 2):
            assert many.many.failure(number) is None
            assert content(received(as_alone(many.many.outputs[number]))) == expected


def test_a_store_that_cannot_be_asked_does_not_say_that_there_is_no_stream(
    serve: Serve, tmp_path: Path, expected: list[pb.SegmentResponse]
) -> None:
    (tmp_path / "key").write_bytes(bytes(32))
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as redis:
        stored = {"store": redis.url, "store_key": tmp_path / "key", "store_interval_s": 0.1}
        with serve(**stored) as (_, other):
            with serve(**stored) as (_, one):
                client = Client(one, session_id="same", frame_results=True)
                client.send(200)
                until_durable(client, 200)
            redis.stop()
            code, message, said = status_of(Call(other, client.resume_request()).failure())
            assert (code, said["reason"]) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNREACHABLE"), message
            assert said["retryable"] == "true"
            redis.start()
            come_back(client, other)
            client.finish()
            assert content(received(client.responses)) == expected


def test_a_store_is_known_to_be_away_before_a_stream_needs_it(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_LOOK_S", 0.05)
    (tmp_path / "key").write_bytes(bytes(32))
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as redis:
        redis.stop()
        with serve(store=redis.url, store_key=tmp_path / "key", metrics_port=0) as (server, _):
            until(lambda: scraped(server, "kineseg_store_failing") == 1.0, "it is known that the store is away")
            redis.start()
            until(lambda: scraped(server, "kineseg_store_failing") == 0.0, "it is known that it is back")


def test_a_stream_that_makes_room_is_left_in_the_store(
    serve: Serve, stored: dict[str, Any], expected: list[pb.SegmentResponse]
) -> None:
    with serve(**stored, max_parked=1, max_sessions=2, metrics_port=0) as (server, stub):
        client = Client(stub, session_id="same", frame_results=True)
        client.send(200)
        until_durable(client, 200)
        other = Client(stub)
        client.call.cancel()
        until(lambda: session(stub, "same").parked, "it is parked")
        other.call.cancel()
        until(lambda: session_gone(stub, "same"), "it has made room")
        assert client.come_back().next_frame >= 200
        client.finish()
        assert content(received(client.responses)) == expected
        assert scraped(server, "kineseg_parked_evicted_total") == 0
