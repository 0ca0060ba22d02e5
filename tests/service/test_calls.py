"""The calls around a stream: models, sessions, closing, watching."""

from __future__ import annotations

import grpc
import pytest
from kineseg.v1 import segmentation_pb2 as pb

from tests.service.conftest import Serve
from tests.service.talk import Call, Stub, Watch, config, cut, events, motion, segment, until

FRAMES = motion(600)


def test_models_are_listed(stub: Stub) -> None:
    models = stub.ListModels(pb.ListModelsRequest()).models
    assert [model.name for model in models] == ["fragile", "scratch", "tiny"]
    assert [model.is_default for model in models] == [False, False, True]
    tiny = models[2]
    assert list(tiny.channels) == ["c0", "c1", "c2"]
    assert list(tiny.units) == ["m"] * 3
    assert (tiny.version, tiny.family, tiny.frame_rate_hz, tiny.embedding_dim) == ("1.0.0", "tiny-gru", 30.0, 4)
    assert tiny.provider in ("CPUExecutionProvider", "CUDAExecutionProvider")
    assert len(tiny.sha256) == 64


def test_the_default_model_can_be_chosen(serve: Serve, tiny: object, fragile: object) -> None:
    with serve(tiny, fragile, default_model="fragile") as (_, stub):  # type: ignore[arg-type]
        call = Call(stub, config())
        assert call.opened().model.name == "fragile"
        call.cancel()


def test_an_open_session_is_described_while_it_runs(stub: Stub) -> None:
    call = Call(stub, config(session_id="seen", latency_s=2.0, boundary_threshold=0.3))
    assert call.opened().boundary_threshold == 0.3
    call.send(*cut(FRAMES))
    emitted = []
    while not emitted or emitted[-1].ack.frames < 600:
        emitted.append(call.read())
    response = stub.GetSession(pb.GetSessionRequest(session_id="seen"))
    session = response.session
    assert (session.session_id, session.model, session.frame_rate_hz, session.latency_s) == ("seen", "tiny", 30.0, 2.0)
    assert session.boundary_threshold == 0.3
    assert (session.frames_received, session.frames_processed) == (600, 600)
    assert session.last_seq == max(event.seq for event in events(emitted))
    closed = [event.segment_closed for event in events(emitted) if event.HasField("segment_closed")]
    assert closed
    assert all(len(one.embedding) == 4 for one in closed)
    for one in closed:
        one.ClearField("embedding")  # thousands of segments must fit into one answer
    assert list(response.segments) == closed
    assert session.segments_closed == len(closed)
    assert session.opened_unix_ns > 1.7e18
    assert session in stub.ListSessions(pb.ListSessionsRequest()).sessions
    call.cancel()


@pytest.mark.parametrize("frames", [0, 600], ids=["silent", "mid-chunk"])
def test_a_name_is_free_as_soon_as_its_client_has_left(stub: Stub, frames: int) -> None:
    for _ in range(30):
        call = Call(stub, config(session_id="again"))
        assert call.opened().session_id == "again"
        call.send(*cut(FRAMES[:frames]))
        call.cancel()


def test_sessions_are_listed_in_the_order_of_their_opening(serve: Serve) -> None:
    with serve() as (_, stub):
        calls = []
        for name in ("b", "c", "a"):
            calls.append(Call(stub, config(session_id=name)))
            calls[-1].opened()
        assert [s.session_id for s in stub.ListSessions(pb.ListSessionsRequest()).sessions] == ["b", "c", "a"]
        for call in calls:
            call.cancel()


def test_a_session_can_be_closed_from_elsewhere(stub: Stub) -> None:
    call = Call(stub, config(session_id="closed"))
    call.opened()
    call.send(*cut(FRAMES))
    while call.read_ack() < 600:
        pass
    summary = stub.CloseSession(pb.CloseSessionRequest(session_id="closed")).summary
    emitted = events(call.rest())
    assert emitted[-1].summary == summary
    assert (summary.reason, summary.frames) == (pb.END_REASON_CLOSED, 600)
    assert call.failure().code() == grpc.StatusCode.OK
    # Apart from the reason it is what half-closing would have given.
    half_closed = events(segment(stub, cut(FRAMES)))[-1].summary
    half_closed.reason = pb.END_REASON_CLOSED
    assert half_closed == summary


def test_watchers_see_what_the_streams_clients_see(stub: Stub) -> None:
    everyone = Watch(stub)
    one = Watch(stub, session_id="watched")
    ends = Watch(stub, kinds=[pb.EVENT_KIND_SUMMARY, pb.EVENT_KIND_GAP])
    watched = events(segment(stub, cut(FRAMES), session_id="watched"))
    other = events(segment(stub, cut(FRAMES[:300]), session_id="other"))
    # Streams of other tests may end meanwhile, too.
    until(lambda: len(of(everyone, "watched", "other")) == len(watched) + len(other), "all events have come")
    until(lambda: len(of(ends, "watched", "other")) == 2, "both ends have come")
    for watch in (everyone, one, ends):
        watch.stop()
    assert of(everyone, "watched") == watched
    assert of(everyone, "other") == other
    assert [w.event for w in one.seen] == watched
    assert of(ends, "watched", "other") == [watched[-1], other[-1]]
    assert all(w.dropped == 0 for w in everyone.seen)


def of(watch: Watch, *names: str) -> list[pb.Event]:
    """What a watcher has seen of these sessions."""
    return [watched.event for watched in watch.seen if watched.session_id in names]


@pytest.mark.parametrize("when", ["before", "after"])
def test_watching_ends_when_the_server_goes(serve: Serve, when: str) -> None:
    with serve() as (server, stub):
        watch = Watch(stub)
        call = Call(stub, config(session_id="last"))
        call.opened()
        call.send(*cut(FRAMES))
        if when == "before":
            call.half_close()
            call.rest()
        server.stop()
        watch.join()
        assert watch.call.code() == grpc.StatusCode.OK
        assert watch.seen[-1].event.summary.reason in (pb.END_REASON_COMPLETED, pb.END_REASON_DRAINED)
        call.half_close()
