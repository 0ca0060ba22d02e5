"""The server around the calls: health, reflection, metrics, loading, draining, and what keeps it from starting."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from kineseg.v1 import segmentation_pb2 as pb
from kineseg_core.errors import BadBundle, BadRules
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer, Server
from prometheus_client.parser import text_string_to_metric_families

from tests.core.tiny_bundle import TinyModel, read_manifest, write_manifest, write_tiny_bundle
from tests.service.conftest import Serve
from tests.service.talk import (
    PATIENCE_S,
    SMALL,
    Call,
    Stub,
    chunk,
    config,
    cut,
    events,
    motion,
    segment,
    settled,
    status_of,
    until,
)

FRAMES = motion(600)
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
NAME = "kineseg.v1.SegmentationService"


def health(address: str, service: str = "") -> int:
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        return int(health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service)).status)


def test_a_server_that_serves_says_so(running: tuple[BackgroundServer, Stub]) -> None:
    assert health(running[0].address) == health(running[0].address, NAME) == SERVING


def test_reflection_tells_the_services(running: tuple[BackgroundServer, Stub]) -> None:
    with grpc.insecure_channel(running[0].address) as channel:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        [response] = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]))
    names = {service.name for service in response.list_services_response.service}
    assert {NAME, "grpc.health.v1.Health"} <= names


def scrape(server: BackgroundServer) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics") as response:
        text = response.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


LABELS = {"class", "code", "kind", "le", "limit", "reason", "tenant", "version"}


def test_metrics_count_what_happens_and_are_never_labelled_by_session(serve: Serve) -> None:
    with serve(metrics_port=0) as (server, stub):
        told_events = events(segment(stub, cut(FRAMES), session_id="counted"))
        segment(stub, cut(FRAMES), decisions=pb.DECISIONS_FINAL)
        call = Call(stub, config(model="nobody"))
        call.failure()
        still_open = Call(stub, config())
        still_open.opened()
        values = scrape(server)
        assert values["kineseg_frames_received_total", ()] == 1200
        assert values["kineseg_batch_streams_sum", ()] == 1200
        assert values["kineseg_step_seconds_count", ()] == values["kineseg_batch_streams_count", ()]
        assert values["kineseg_streams_open", ()] == 1
        assert values["kineseg_errors_total", (("code", "NOT_FOUND"),)] == 1
        closed = sum(event.HasField("segment_closed") for event in told_events)
        assert values["kineseg_events_total", (("kind", "segment_closed"),)] == 2 * closed > 0
        assert values["kineseg_events_total", (("kind", "summary"),)] == 2
        # What was decided counts, whether or not it is emitted.
        summary = told_events[-1].summary
        assert values["kineseg_segments_confirmed_total", ()] == 2 * closed
        assert values["kineseg_segments_provisional_total", ()] == 2 * summary.provisional
        assert values["kineseg_segments_retracted_total", ()] == 2 * summary.retracted
        assert {label for _, labels in values for label, _ in labels} <= LABELS
        still_open.cancel()
        until(lambda: scrape(server)["kineseg_streams_open", ()] == 0, "no stream is open")


def test_calls_are_refused_until_the_models_are_there(tiny: Path) -> None:
    async def check() -> None:
        # The only thread that can load models is kept busy.
        executor = ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(executor)
        busy = threading.Event()
        executor.submit(busy.wait)
        server = Server(Settings(port=0, metrics_port=None, bundles=(tiny,), packaged_bundle=False, log_level="error"))
        starting = asyncio.create_task(server.start())
        while not server.port:  # noqa: ASYNC110 - nothing else shows it
            await asyncio.sleep(0.001)
        async with grpc.aio.insecure_channel(server.address) as channel:
            check_health = health_pb2_grpc.HealthStub(channel).Check
            assert (await check_health(health_pb2.HealthCheckRequest())).status == NOT_SERVING
            stub = Stub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.ListModels(pb.ListModelsRequest())
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
            assert status_of(caught.value)[2] == {"reason": "SERVER_LOADING", "retryable": "true"}
            call = stub.Segment(iter([config()]))
            assert await call.code() == grpc.StatusCode.UNAVAILABLE
            assert "loading" in await call.details()
            busy.set()
            await starting
            assert (await check_health(health_pb2.HealthCheckRequest(service=NAME))).status == SERVING
            assert (await stub.ListModels(pb.ListModelsRequest())).models[-1].name == "tiny"
        await server.stop(0)

    asyncio.run(check())


def test_draining_ends_open_streams_with_their_summaries(serve: Serve) -> None:
    with serve() as (server, stub):
        calls = [Call(stub, config()) for _ in range(3)]
        for call in calls:
            call.opened()
            call.send(*cut(FRAMES))
            while call.read_ack() < 600:
                pass
        server.stop()
        expected = [event.segment_closed for event in events(calls[0].rest()) if event.HasField("segment_closed")]
        assert expected
        for call in calls[1:]:
            last = events(call.rest())
            assert [event.segment_closed for event in last if event.HasField("segment_closed")] == expected
            assert (last[-1].summary.frames, last[-1].summary.reason) == (600, pb.END_REASON_DRAINED)
            assert call.failure().code() == grpc.StatusCode.OK


def stuck_stream(server: BackgroundServer, channel: grpc.Channel) -> grpc.Call:
    """A stream whose client takes nothing, so that it cannot end."""
    requests = iter([config(frame_results=True, session_id="stuck"), *cut(motion(20_000, 200))])
    call = Stub(channel).Segment(requests)
    assert next(call).HasField("opened")
    with grpc.insecure_channel(server.address) as other:
        settled(Stub(other), "stuck")
    return call


def test_while_draining_new_streams_are_refused(serve: Serve, wide: Path) -> None:
    with serve(wide, drain_grace_s=PATIENCE_S) as (server, stub), grpc.insecure_channel(server.address, SMALL) as slow:
        stuck = stuck_stream(server, slow)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        until(lambda: health(server.address) == NOT_SERVING, "it says that it does not serve")
        code, message, metadata = status_of(Call(stub, config()).failure())
        assert code == grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in message
        assert metadata == {"reason": "SERVER_DRAINING", "retryable": "true"}
        # Now it is read, and what had been accepted comes, with the summary.
        assert events(stuck)[-1].summary.reason == pb.END_REASON_DRAINED
        stopping.join()


def test_a_stream_that_outlasts_the_grace_period_is_cut_off(serve: Serve, wide: Path) -> None:
    with serve(wide, drain_grace_s=0.2) as (server, _), grpc.insecure_channel(server.address, SMALL) as slow:
        stuck = stuck_stream(server, slow)
        server.stop()
        with pytest.raises(grpc.RpcError):
            list(stuck)


def start_process(*bundles: Path) -> subprocess.Popen[str]:
    """A server in a process of its own."""
    settings = {
        "KINESEG_PORT": "0",
        "KINESEG_METRICS_PORT": "0",
        "KINESEG_BUNDLES": os.pathsep.join(str(bundle) for bundle in bundles),
        "KINESEG_PACKAGED_BUNDLE": "false",
        "KINESEG_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "kineseg_service.server"]
    return subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.PIPE, text=True)


@contextmanager
def process(tiny: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The same once it serves, and its address."""
    with start_process(tiny) as server:
        try:
            assert server.stderr is not None
            lines = (json.loads(line) for line in server.stderr if line.startswith("{"))
            yield server, next(line["address"] for line in lines if line["event"] == "serving")
        finally:
            server.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_a_real_process(tiny: Path, number: signal.Signals) -> None:
    with process(tiny) as (server, address), grpc.insecure_channel(address) as channel:
        call = Call(Stub(channel), config(session_id="last"))
        call.opened()
        call.send(*cut(FRAMES))
        while call.read_ack() < 600:
            pass
        server.send_signal(number)
        last = events(call.rest())[-1].summary
        assert (last.frames, last.reason) == (600, pb.END_REASON_DRAINED)
        assert call.failure().code() == grpc.StatusCode.OK
        _, log = server.communicate(timeout=PATIENCE_S)
        assert server.returncode == 0
        told_lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        assert [line["event"] for line in told_lines][-1] == "stopped"
        ended = next(line for line in told_lines if line["event"] == "stream ended")
        assert (ended["session"], ended["reason"], ended["frames"]) == ("last", "drained", 600)


def test_a_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    with start_process(tmp_path / "nowhere") as server:
        _, log = server.communicate(timeout=PATIENCE_S)
    assert server.returncode == 1
    [line] = [json.loads(line) for line in log.splitlines() if "cannot start" in line]
    assert "nowhere: manifest.json: there is no such folder" in line["error"]
    assert "Traceback" not in log


def test_a_bundle_that_does_not_verify_keeps_the_server_from_starting(tiny: Path, tmp_path: Path) -> None:
    broken = write_tiny_bundle(tmp_path / "broken", TinyModel(name="broken"))
    (broken / "README.md").write_text("changed", encoding="utf-8")
    settings = Settings(port=0, metrics_port=0, bundles=(tiny, broken), packaged_bundle=False, log_level="error")
    with pytest.raises(BadBundle, match=r"broken: README\.md: its SHA-256"):
        BackgroundServer(settings).start()


def test_calibration_that_the_segmenter_does_not_know_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "odd")
    manifest = read_manifest(folder)
    manifest.calibration.segmenter["no_such_setting"] = 1.0
    write_manifest(folder, manifest)
    with pytest.raises(BadBundle, match="no_such_setting"):
        BackgroundServer(Settings(port=0, metrics_port=None, bundles=(folder,), packaged_bundle=False)).start()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"bundles": (), "scratch": False}, "there is no model to serve"),
        ({"default_model": "nobody"}, "default_model is 'nobody'; the models are tiny"),
    ],
)
def test_a_server_without_its_model(tiny: Path, settings: dict[str, object], says: str) -> None:
    values: dict[str, object] = {"port": 0, "metrics_port": None, "bundles": (tiny,), "packaged_bundle": False}
    with pytest.raises(ValueError, match=says):
        BackgroundServer(Settings(**(values | settings))).start()


@pytest.mark.parametrize("which", ["port", "metrics_port"])
def test_a_port_that_is_taken_is_named(running: tuple[BackgroundServer, Stub], tiny: Path, which: str) -> None:
    values: dict[str, object] = {"port": 0, "metrics_port": 0, "bundles": (tiny,), "packaged_bundle": False}
    taken = getattr(running[0], which)
    with pytest.raises(RuntimeError, match=str(taken)):
        BackgroundServer(Settings(**(values | {which: taken}))).start()


def test_a_start_that_fails_leaves_nothing_behind(tiny: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("no rules", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as also_free:
        port, metrics_port = free.getsockname()[1], also_free.getsockname()[1]
    values: dict[str, object] = {
        "port": port, "metrics_port": metrics_port, "bundles": (tiny,), "packaged_bundle": False,
        "store": f"sqlite:{tmp_path / 'streams.db'}",
    }  # fmt: skip
    with pytest.raises(BadRules):
        BackgroundServer(Settings(**(values | {"rules": rules}))).start()
    assert not [thread.name for thread in threading.enumerate() if thread.name == "kineseg-store"]
    with BackgroundServer(Settings(**values)) as server:
        assert (server.port, server.metrics_port) == (port, metrics_port)
        assert health(server.address) == SERVING


def test_an_end_that_comes_while_it_starts_waits_for_that(tiny: Path) -> None:
    async def run() -> None:
        server = Server(Settings(port=0, metrics_port=None, bundles=(tiny,), packaged_bundle=False))
        starting = asyncio.create_task(server.start())
        await asyncio.sleep(0.01)
        await server.stop(0)
        assert starting.done()
        await starting
        assert server.served.is_set()
        await asyncio.wait_for(server.wait(), PATIENCE_S)

    asyncio.run(run())


def test_stopping_twice_is_no_harm(tiny: Path) -> None:
    server = BackgroundServer(Settings(port=0, metrics_port=None, bundles=(tiny,), packaged_bundle=False))
    with server:
        with grpc.insecure_channel(server.address) as channel:
            assert events(segment(Stub(channel), [chunk(0, FRAMES)]))[-1].summary.frames == 600
        server.stop()
