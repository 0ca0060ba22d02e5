"""No fault of a helper hurts a stream or leaks a slot, and a dead engine ends the server instead of hanging it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.boundary_network import packaged_network
from kineseg_core.intake.intake import Intake
from kineseg_core.session import Session
from kineseg_service import metrics
from kineseg_service.api.codes import CODE_NAMES
from kineseg_service.scheduler import engine, ticks
from kineseg_service.streams import event_log, live
from kineseg_service.streams.live_stream import LiveStream
from kineseg_service.streams.member import MemberStream

from tests.same_events import content
from tests.service.conftest import Serve
from tests.service.talk import PATIENCE_S, Call, Stub, config, cut, events, kinds, motion, segment, status_of, until
from tests.service.talk_many import Many, chunks, opens

FRAMES = motion(300)
SECRET = "a secret of the inside"


def fail(*_: object, **__: object) -> Any:
    raise RuntimeError(SECRET)


class Closed:
    """A standard error that nothing can be written to."""

    def write(self, *text: str) -> int:
        raise ValueError("I/O operation on closed file")

    flush = isatty = write


@pytest.fixture(scope="module")
def expected(serve: Serve) -> list[pb.Event]:
    """What a stream emits where nothing fails."""
    with serve() as (_, stub):
        return content(events(segment(stub, cut(FRAMES), session_id="same")))


@pytest.mark.parametrize(
    "place",
    [
        (metrics.Metrics, "stepped"),
        (metrics.Metrics, "waiting"),
        (metrics.Metrics, "received"),
        (metrics.Metrics, "event"),
        (metrics.Metrics, "settle"),
        (metrics.Metrics, "segments"),
        (metrics.Metrics, "streams"),
        (event_log.EventLog, "publish"),
    ],
    ids=lambda place: f"{place[0].__name__}.{place[1]}",
)
def test_a_helper_that_fails_changes_nothing(
    place: tuple[type, str], serve: Serve, expected: list[pb.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*place, fail)
    with serve(max_sessions=1) as (_, stub):
        for _ in range(2):  # with one slot, a leak would refuse the second
            assert content(events(segment(stub, cut(FRAMES), session_id="same"))) == expected


@pytest.mark.parametrize("stderr", [Closed(), None], ids=["closed", "none"])
def test_logs_that_cannot_be_written_hurt_no_one(
    stderr: Any,
    serve: Serve,
    expected: list[pb.Event],
    set_logs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    set_logs("debug")
    with serve(max_sessions=1) as (_, stub):
        for _ in range(2):
            assert content(events(segment(stub, cut(FRAMES), session_id="same"))) == expected
            bad = Call(stub, config())
            bad.send(config())
            assert status_of(bad.failure())[0] is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "place",
    [(LiveStream, "__init__"), (live.LiveStreams, "watch_idle"), (Session, "take"), (Session, "advance")],
    ids=lambda place: f"{place[0].__name__}.{place[1]}",
)
def test_what_fails_after_a_slot_is_taken_gives_it_back(
    place: tuple[type, str], serve: Serve, expected: list[pb.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(max_sessions=1) as (_, stub):
        with monkeypatch.context() as broken:
            broken.setattr(*place, fail)
            for _ in range(2):
                call = stub.Segment(iter([config(), *cut(FRAMES)]))
                with pytest.raises(grpc.RpcError):
                    list(call)
                code, message, _ = status_of(call)
                assert code is grpc.StatusCode.INTERNAL
                assert "error id" in message
                assert SECRET not in message
        assert content(events(segment(stub, cut(FRAMES), session_id="same"))) == expected


@pytest.mark.parametrize(
    "place",
    [(MemberStream, "__init__"), (live.LiveStreams, "watch_idle"), (Intake, "begin"), (Intake, "finish"),
     (Session, "advance"), (Session, "end")],
    ids=lambda place: f"{place[0].__name__}.{place[1]}",
)  # fmt: skip
def test_what_fails_in_a_session_of_a_call_of_many_gives_its_slot_back(
    place: tuple[type, str], serve: Serve, expected: list[pb.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(max_sessions=1) as (_, stub):
        many = Many(stub)
        with monkeypatch.context() as broken:
            broken.setattr(*place, fail)
            for number in (1, 2):
                many.send(opens(number))
                many.until_opened(number)
                many.send(chunks((number, 0, FRAMES)))
                many.send(pb.SegmentManyRequest(ends=[number]))
                many.until_closed(number)
                failure = many.failure(number)
                assert failure is not None
                assert failure[0] is grpc.StatusCode.INTERNAL
                assert "error id" in failure[1]
                assert SECRET not in failure[1]
        many.send(opens(3))
        many.until_opened(3)
        many.send(chunks((3, 0, FRAMES)))
        assert many.finish() is grpc.StatusCode.OK
        assert content(many.events(3)) == expected


def test_the_end_of_the_engine_is_the_end_of_its_streams_and_of_the_server(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as (server, stub):
        calls = [Call(stub, config()) for _ in range(3)]
        for call in calls:
            call.opened()
            call.send(*cut(FRAMES[:60]))
        for call in calls:
            assert call.read_ack() == 50
        monkeypatch.setattr(ticks.Ticks, "tick", fail)
        calls[0].send(*list(cut(FRAMES[:120]))[2:])
        for call in calls:
            call.rest()
            code, message, _ = status_of(call.failure())
            assert code is grpc.StatusCode.INTERNAL
            assert "the server has failed (error id" in message
            assert SECRET not in message

        def refuses() -> bool:
            with grpc.insecure_channel(server.address) as channel:
                try:
                    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
                except grpc.RpcError:
                    return True  # it is gone altogether
                return bool(health.status == health_pb2.HealthCheckResponse.NOT_SERVING)

        until(refuses, "the server says that it serves no more")


def test_the_end_of_the_engine_ends_the_process(tiny: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from kineseg_service.scheduler.ticks import Ticks
        from kineseg_service.server.__main__ import main

        def tick(self, lane):
            raise RuntimeError("broken")

        Ticks.tick = tick
        main()
        """
    )
    environment = os.environ | {
        "KINESEG_PORT": "0",
        "KINESEG_METRICS_PORT": "none",
        "KINESEG_BUNDLES": str(tiny),
        "KINESEG_PACKAGED_BUNDLE": "false",
        "KINESEG_LOG_FORMAT": "json",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    )
    try:
        assert process.stderr is not None
        lines: Iterator[str] = iter(process.stderr)
        address = next(line.split('"address": "')[1].split('"')[0] for line in lines if '"address"' in line)
        with grpc.insecure_channel(address) as channel:
            call = Call(Stub(channel), config())
            call.opened()
            call.send(*cut(FRAMES))
            assert status_of(call.failure())[0] is grpc.StatusCode.INTERNAL
        rest = "".join(lines)
        assert process.wait(PATIENCE_S) == 1
        assert "the engine has failed" in rest
    finally:
        process.kill()
        process.wait()
        process.wait()
        process.stderr.close()  # type: ignore[union-attr]


def test_a_broken_engine_answers_at_once(tiny: Path) -> None:
    """Whoever still asks gets an answer or an error, and never left waiting."""
    from kineseg_core.inference.bundle import load_bundle
    from kineseg_core.inference.decoder import Decoder
    from kineseg_service.errors import Broken

    class Breaks(engine.Engine):
        def _flush(self) -> None:
            raise RuntimeError(SECRET)

    ended: list[bool] = []
    broken = Breaks(
        {"tiny": Decoder(load_bundle(tiny), "cpu", slots=2, max_batch=2)},
        packaged_network(),
        metrics.Metrics(CODE_NAMES),
    )
    broken.start(lambda deliveries: None, lambda: ended.append(True))
    until(lambda: bool(ended) or broken.call(lambda: 1).done(), "it breaks")
    until(lambda: bool(ended), "it says so")
    assert broken.call(lambda: 5).result(timeout=10) == 5
    session: Any = type("S", (), {"config": type("C", (), {"model": "tiny", "session_id": "x"})()})()
    with pytest.raises(Broken):
        broken.open(session).result(timeout=10)
    broken.stop()


def test_kinds_of_a_stream_are_what_they_were(expected: list[pb.Event]) -> None:
    """What the tests above compare with is a stream in which something happens."""
    assert {"segment_started", "segment_closed", "summary"} <= {event.WhichOneof("detail") for event in expected}
    assert kinds([pb.SegmentResponse(event=event) for event in expected])[-1] == "summary"
