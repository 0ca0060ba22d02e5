"""What a caller may choose is checked before anything is sent, and the server hears exactly what was chosen."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import grpc
import kineseg
import numpy as np
import pytest
from kineseg.v1 import segmentation_pb2 as pb


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", 0),
        ("rate", -30),
        ("rate", 1001),
        ("rate", math.nan),
        ("rate", math.inf),
        ("rate", "30"),
        ("latency_s", 0.4),
        ("latency_s", 11),
        ("boundary_threshold", 0),
        ("boundary_threshold", 1),
        ("boundary_threshold", math.nan),
        ("alarms_per_hour", 0),
        ("alarms_per_hour", 1001),
        ("alarms_per_hour", math.nan),
        ("reports_per_hour", 0),
        ("reports_per_hour", 1001),
        ("chunk_s", 0),
        ("chunk_s", math.nan),
        ("ack_interval_s", -1),
        ("ack_interval_s", 11),
        ("session_id", "a b"),
        ("session_id", "x" * 65),
        ("channels", ("a", "b", "a")),
        ("channels", ("a", "")),
        ("channels", "abc"),
        ("decisions", "some"),
        ("decisions", ""),
        ("decisions", None),
        ("rate", True),
        ("channels", 3),
        ("channels", ("half \ud800",)),
        ("model", 7),
        ("session_id", 7),
        ("resume", "no"),
        ("return_profile", None),
        ("frame_results", 2),
        ("rules", "rules.toml"),
    ],
)
def test_a_stream_refuses_what_cannot_be(field: str, value: Any, connect: Any, scripted: Any) -> None:
    client = connect(scripted.address)
    with pytest.raises(kineseg.InvalidRequest, match=field) as caught:
        client.stream(**{"rate": 30, field: value})
    assert caught.value.field == field
    assert scripted.calls == []


def test_a_stream_needs_its_rate(connect: Any, scripted: Any) -> None:
    with pytest.raises(kineseg.InvalidRequest, match="rate="):
        connect(scripted.address).stream()


def test_a_stream_needs_a_config_of_its_own_kind(connect: Any, scripted: Any) -> None:
    with pytest.raises(kineseg.InvalidRequest, match="StreamConfig"):
        connect(scripted.address).stream({"rate": 30})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", ""),
        ("address", b"localhost:1"),
        ("timeout", 0),
        ("timeout", 1e-9),
        ("timeout", math.nan),
        ("timeout", "10"),
        ("retries", -1),
        ("retries", 1.5),
        ("keepalive_s", 0),
        ("keepalive_s", 0.9),
        ("limits", 3),
        ("tls", 3),
        ("token", 3),
        ("metadata", "authorization"),
        ("metadata", {"A name": "x"}),
        ("metadata", {"grpc-timeout": "1S"}),
        ("metadata", {"a": 3}),
        ("metadata", {"a": "two\nlines"}),
    ],
)
def test_a_client_refuses_what_cannot_be(field: str, value: Any) -> None:
    for client in (kineseg.Client, kineseg.AsyncClient):
        with pytest.raises(kineseg.InvalidRequest, match=field) as caught:
            client(**{field: value})
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "least"),
    [
        ("in_flight_s", 0.01),
        ("unread", 1),
        ("message_bytes", 4 << 20),
        ("silence_s", 0.1),
        ("stall_s", 0.1),
        ("reconnect_s", 0.1),
        ("keep_s", 0.1),
    ],
)
def test_limits_have_bounds(field: str, least: float) -> None:
    assert getattr(kineseg.Limits(**{field: least}), field) == least
    refused: list[Any] = [least * (1 - 1e-9), 1e-9, 0, -1, math.nan, "1", None, True, [2]]
    if field == "message_bytes":
        refused.append(2**31)
    for value in refused:
        with pytest.raises(kineseg.InvalidRequest, match=f"{field} must be .*{least}") as caught:
            kineseg.Limits(**{field: value})
        assert caught.value.field == field


def test_every_limit_is_tested() -> None:
    [marks] = [mark for mark in test_limits_have_bounds.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert {field for field, _ in marks.args[1]} == {each.name for each in dataclasses.fields(kineseg.Limits)}


def test_a_time_may_be_without_end(connect: Any, scripted: Any, script: ModuleType) -> None:
    limits = kineseg.Limits(
        in_flight_s=math.inf, silence_s=math.inf, stall_s=1e300, reconnect_s=math.inf, keep_s=math.inf
    )
    client = connect(scripted.address, limits=limits, timeout=math.inf, keepalive_s=1e300)
    with client.stream(rate=30) as stream:
        stream.send(np.zeros((3, 3)))
    assert stream.frames_processed == 3


def test_the_server_hears_what_was_chosen(connect: Any, scripted: Any, script: ModuleType) -> None:
    heard: list[pb.SegmentRequest] = []

    def note(requests: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        heard.append(next(requests))
        yield script.opened()
        yield script.summary(1)

    scripted.segment = note
    client = connect(scripted.address)
    config = kineseg.StreamConfig(
        rate=np.float32(25),
        channels=["c2", "c0", "c1"],
        model="m",
        session_id="s-1",
        latency_s=2,
        boundary_threshold=0.6,
        alarms_per_hour=6,
        reports_per_hour=30,
        frame_results=True,
        decisions="final",
    )
    with client.stream(config) as stream:
        assert stream.config == config
        assert stream.session_id == "scripted-1"
        assert stream.opened.model.channels == script.CHANNELS
    with client.stream(config, rate=50, session_id=""):
        pass
    with client.stream(rate=30):
        pass
    wanted = {"decisions": pb.DECISIONS_FINAL, "resumable": True}
    chosen = {
        "model": "m",
        "channels": ["c2", "c0", "c1"],
        "latency_s": 2,
        "boundary_threshold": 0.6,
        "alarms_per_hour": 6,
        "reports_per_hour": 30,
        "frame_results": True,
        **wanted,
    }
    assert [request.config for request in heard] == [
        pb.StreamConfig(frame_rate_hz=25, session_id="s-1", **chosen),
        pb.StreamConfig(frame_rate_hz=50, **chosen),
        pb.StreamConfig(frame_rate_hz=30, decisions=pb.DECISIONS_ALL, resumable=True),
    ]


def test_metadata_goes_with_every_call(connect: Any, scripted: Any) -> None:
    client = connect(scripted.address, metadata={"authorization": "Bearer secret"})
    client.models()
    client.health()
    list(client.watch())
    with client.stream(rate=30):
        pass
    assert scripted.calls == ["ListModels", "Check", "WatchEvents", "Segment"]
    assert [seen["authorization"] for seen in scripted.metadata] == ["Bearer secret"] * 4


def test_credentials_make_the_channel_secure(connect: Any, script: ModuleType) -> None:
    service = script.Scripted()
    server = script.serve_scripted(service, grpc.local_server_credentials())
    try:
        client = connect(service.address, credentials=grpc.local_channel_credentials())
        assert client.health() is kineseg.Health.SERVING
    finally:
        server.stop(0).wait()


@pytest.mark.parametrize(("status", "health"), [(0, "unknown"), (1, "serving"), (2, "not_serving"), (3, "unknown")])
def test_health_is_the_standard_services(status: int, health: str, connect: Any, scripted: Any) -> None:
    scripted.health = status
    assert connect(scripted.address).health() == health


def test_watching_refuses_unknown_kinds_and_names_the_known(connect: Any, scripted: Any) -> None:
    with pytest.raises(kineseg.InvalidRequest, match="segment_closed") as caught:
        connect(scripted.address).watch(kinds=["segment_opened"])
    assert caught.value.field == "kinds"


def test_the_server_hears_what_is_to_be_watched(connect: Any, scripted: Any) -> None:
    heard = []

    def note(request: pb.WatchEventsRequest, context: Any) -> Iterator[pb.WatchEventsResponse]:
        heard.append(request)
        yield pb.WatchEventsResponse(session_id="s", event=pb.Event(seq=4, gap=pb.Gap(missing_frames=1)), dropped=2)

    scripted.watch = note
    client = connect(scripted.address)
    with client.watch("s", kinds=["gap", kineseg.EventKind.ANOMALY]) as watch:
        (seen,) = list(watch)
    assert (seen.session_id, seen.dropped, seen.event.seq, seen.event.kind) == ("s", 2, 4, "gap")
    assert list(client.watch(kinds="gap"))
    kinds = [pb.EVENT_KIND_GAP, pb.EVENT_KIND_ANOMALY]
    assert heard[0] == pb.WatchEventsRequest(session_id="s", kinds=kinds)
    assert heard[1] == pb.WatchEventsRequest(kinds=[pb.EVENT_KIND_GAP])


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.session(7), "session_id"),
        (lambda client: client.close_session(["s"]), "session_id"),
        (lambda client: client.watch(cursor=7), "cursor"),
        (lambda client: client.names(7), "model"),
        (lambda client: client.forget_name("half \ud800"), "name"),
        (lambda client: client.teach_name(7, example=[1.0]), "name"),
        (lambda client: client.teach_name("walk", session_id="s", segment_id="3"), "segment_id"),
    ],
)
def test_what_cannot_be_sent_is_named(call: Any, field: str, connect: Any, scripted: Any) -> None:
    with pytest.raises(kineseg.InvalidRequest, match=field) as caught:
        call(connect(scripted.address))
    assert caught.value.field == field
    assert scripted.calls == []


def test_a_client_is_entered_once(scripted: Any) -> None:
    with kineseg.Client(scripted.address) as client, pytest.raises(kineseg.UsageError, match="already"):
        client.__enter__()
    with pytest.raises(kineseg.ClientClosed), client:
        pass
