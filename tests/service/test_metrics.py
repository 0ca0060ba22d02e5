"""What operators watch: how late events are, and of which stream; what is wrong with sources; what is nearly full."""

from __future__ import annotations

import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import grpc
import numpy as np
import prometheus_client
import pytest
import trustme
from kineseg_core.events import Event, Gap
from kineseg_service.access.certificates import Certificates
from kineseg_service.exemplars import latest_of_all
from kineseg_service.facts import ServerFacts
from kineseg_service.server import BackgroundServer
from kineseg_service.streams.lateness import Lateness
from kineseg_service.tenant_metrics import MOST_TENANTS, OTHERS, TenantMetrics
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.service.conftest import Serve
from tests.service.locked import write_pair
from tests.service.talk import F32, Call, chunk, config, cut, events, motion, segment, until
from tests.service.talk_many import Many, chunks, opens

CHANNELS = [f"c{i}" for i in range(6)]


def families(server: BackgroundServer) -> dict[str, Metric]:
    """What the server shows to whoever reads OpenMetrics, by name."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.metrics_port}/metrics", headers={"Accept": "application/openmetrics-text"}
    )
    with urllib.request.urlopen(request) as response:
        return {family.name: family for family in text_string_to_metric_families(response.read().decode())}


def value(server: BackgroundServer, sample: str, **labels: str) -> float:
    found = [
        each.value
        for family in families(server).values()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    ]
    assert len(found) == 1, (sample, labels, found)
    return found[0]


@pytest.mark.parametrize(("captured_s_ago", "is_of_day"), [(40.0, True), (1e8, False), (-1e4, False)])
def test_how_late_events_are_is_counted_with_the_stream_as_an_example(
    serve: Serve, captured_s_ago: float, is_of_day: bool
) -> None:
    frames = motion(600)
    with serve(metrics_port=0) as (server, stub):
        first_ns = time.time_ns() - round(captured_s_ago * 1e9)
        times = [first_ns + round(at * 1e9 / 30) for at in range(len(frames))]
        call = Call(stub, config(30.0))
        stream_id = call.opened().stream_id
        call.send(*cut(frames, times=times))
        call.half_close()
        emitted = events(call.rest())
        assert emitted
        until(lambda: value(server, "kineseg_events_total", kind="summary") == 1, "the summary is counted")
        delays = families(server)["kineseg_event_delay_seconds"].samples
        count = next(each.value for each in delays if each.name.endswith("_count"))
        assert 1 <= count <= len(emitted)
        examples = [each.exemplar for each in delays if each.exemplar]
        assert {example.labels["stream_id"] for example in examples} == {stream_id}
        # 20 s of frames that were sent at once are at least 20 s late, or, by another clock, ever less late.
        late = families(server)["kineseg_event_capture_delay_seconds"].samples
        of = {each.labels.get("le"): each.value for each in late if each.name.endswith("_bucket")}
        assert of["+Inf"] == count
        assert of["10.0"] == (0 if is_of_day else count)
        assert value(server, "kineseg_queue_seconds_count") == value(server, "kineseg_step_seconds_count") > 0


def test_a_clock_that_is_not_the_time_of_day_is_compared_with_its_own_best() -> None:
    def at(unix_s: float, captured_s: float) -> Event:
        gap = Gap(missing_frames=1, duration_s=0.1, cuts=False)
        return Event(
            "s", 1, round(unix_s * 1e9), 0, captured_s - 2.0, round((captured_s - 2.0) * 1e9), 0, captured_s, gap
        )

    begin = 1.8e9
    own = Lateness()
    lags = [0.3, 0.25, 4.25, 0.26]
    found = [own.of(at(begin + 5.0 * n + lag, 5.0 * n)) for n, lag in enumerate(lags)]
    assert found == pytest.approx([0.0, 0.0, 4.0, 0.01], abs=1e-4)
    # One that is slow by 30 millionths is never said to be late, however long it runs.
    drifting = [own.of(at(begin + 60.0 * n * (1 + 3e-5), 60.0 * n)) for n in range(1, 5000)]
    assert max(found for found in drifting if found is not None) < 0.3
    of_day = Lateness()
    assert of_day.of(at(begin + 0.2, begin)) == pytest.approx(0.2, abs=1e-4)
    assert of_day.of(at(begin + 400.0, begin + 10.0)) == pytest.approx(390.0, abs=1e-4)
    assert of_day.of(at(begin + 399.5, begin + 400.0)) == 0.0


def stalled() -> F32:
    """Six channels that repeat one frame from frame 600 on."""
    random = np.random.default_rng(1)
    t = np.arange(1200) / 30
    frames = np.stack([np.sin(2 * np.pi * (0.3 + 0.1 * c) * t + c) for c in range(6)], axis=1)
    frames = (frames + 0.05 * random.standard_normal(frames.shape)).astype("<f4")
    frames[600:] = frames[600]
    return frames


def test_what_is_wrong_with_a_source_is_counted_while_it_lasts(serve: Serve) -> None:
    frames = stalled()
    with serve(metrics_port=0, silent_s=0.3) as (server, stub):
        call = Call(stub, config(30.0, model="scratch", channels=CHANNELS))
        call.opened()
        active = {"tenant": "default", "class": "fault"}
        call.send(*cut(frames[:900]))
        until(lambda: value(server, "kineseg_tenant_anomalies_active", **active) == 1, "a stalled source")
        assert value(server, "kineseg_tenant_anomalies_total", **active) == 1
        silent = {"tenant": "default"}
        until(lambda: value(server, "kineseg_tenant_streams_silent", **silent) == 1, "a silent source")
        call.send(chunk(910, frames[910:]))
        call.half_close()
        call.rest()
        until(lambda: value(server, "kineseg_tenant_streams_silent", **silent) == 0, "no silent source")
        assert value(server, "kineseg_tenant_anomalies_active", **active) == 0
        assert value(server, "kineseg_tenant_frames_missing_total", **silent) == 10
        assert value(server, "kineseg_tenant_events_total", **silent) == sum(
            each.value for each in families(server)["kineseg_events"].samples if each.name.endswith("_total")
        )


def test_an_anomaly_of_a_stream_that_is_cancelled_is_over(serve: Serve) -> None:
    with serve(metrics_port=0) as (server, stub):
        call = Call(stub, config(30.0, model="scratch", channels=CHANNELS))
        call.send(*cut(stalled()))

        def active() -> float:
            return sum(each.value for each in families(server)["kineseg_tenant_anomalies_active"].samples)

        until(lambda: active() > 0, "a stalled source")
        call.cancel()
        until(lambda: active() == 0, "its stream is gone")


def test_how_much_of_limits_is_used(serve: Serve) -> None:
    limits = {"streams": 4, "frames_per_s": 300.0}
    with serve(metrics_port=0, max_sessions=8, limits=limits) as (server, stub):
        calls = [Call(stub, config(30.0)) for _ in range(2)]
        for call in calls:
            call.opened()
        assert value(server, "kineseg_limit_used_ratio", limit="max_sessions") == 0.25
        assert value(server, "kineseg_limit_used_ratio", limit="max_watchers") == 0
        assert value(server, "kineseg_tenant_limit_used_ratio", limit="streams") == 0.5
        assert value(server, "kineseg_tenant_limit_used_ratio", limit="frames_per_s") == pytest.approx(0.2)
        for call in calls:
            call.half_close()
            call.rest()
        until(lambda: value(server, "kineseg_limit_used_ratio", limit="max_sessions") == 0, "all are gone")
        assert value(server, "kineseg_tenant_limit_used_ratio", limit="streams") == 0


def test_there_are_no_more_series_than_for_so_many_tenants() -> None:
    registry = prometheus_client.CollectorRegistry()
    tenants = TenantMetrics(registry)
    for repeat in range(2):
        for number in range(MOST_TENANTS + 50):
            tenants.has(f"t{number}", "streams", 3 - repeat)
            tenants.count(f"t{number}", "frames", 10)
            tenants.uses(f"t{number}", "streams", 0.5)
    tenants.settle()
    found = {family.name: family.samples for family in registry.collect()}
    streams = {sample.labels["tenant"]: sample.value for sample in found["kineseg_tenant_streams_open"]}
    assert len(streams) == MOST_TENANTS + 1
    assert (streams["t0"], streams[OTHERS]) == (2, 100)
    frames = [sample for sample in found["kineseg_tenant_frames_received"] if sample.name.endswith("_total")]
    assert sum(sample.value for sample in frames) == 2 * 10 * (MOST_TENANTS + 50)
    assert all(len(samples) <= 6 * (MOST_TENANTS + 1) for samples in found.values())


def test_when_certificates_end(tmp_path: Path) -> None:
    ends = datetime(2031, 5, 6, tzinfo=UTC)
    ca = trustme.CA()
    chain, key = write_pair(ca.issue_cert("localhost", not_after=ends), tmp_path)
    (tmp_path / "ca.pem").write_bytes(ca.cert_pem.bytes())
    registry = prometheus_client.CollectorRegistry()
    registry.register(ServerFacts(Certificates(chain, key, tmp_path / "ca.pem")))
    name = "kineseg_certificate_expiry_timestamp_seconds"
    assert registry.get_sample_value(name, {"setting": "tls_cert"}) == ends.timestamp()
    assert registry.get_sample_value(name, {"setting": "tls_client_ca"})
    renewed = datetime(2032, 5, 6, tzinfo=UTC)
    write_pair(ca.issue_cert("localhost", not_after=renewed), tmp_path)
    assert registry.get_sample_value(name, {"setting": "tls_cert"}) == renewed.timestamp()


def test_the_latest_example_of_any_process_counts(tmp_path: Path) -> None:
    (tmp_path / "exemplars_1.json").write_text('[["f", "1.0", "old", 0.9, 1.0], ["f", "+Inf", "other", 9.0, 1.0]]')
    (tmp_path / "exemplars_2.json").write_text('[["f", "1.0", "new", 0.8, 2.0]]')
    assert latest_of_all(tmp_path) == {("f", "1.0"): ("new", 0.8, 2.0), ("f", "+Inf"): ("other", 9.0, 1.0)}


@pytest.mark.parametrize("jump", [3, 1_000_000])
def test_frames_that_are_missing_are_not_received(serve: Serve, jump: int) -> None:
    frames, then = motion(120), 60 + jump
    with serve(metrics_port=0) as (server, stub):
        segment(stub, [chunk(0, frames[:60]), chunk(then, frames[60:])])
        assert value(server, "kineseg_frames_received_total") == 120
        many = Many(stub, opens(1, 2))
        many.until_opened(1, 2)
        many.send(
            chunks((1, 0, frames[:60]), (2, 0, frames[:60])), chunks((1, then, frames[60:]), (2, 60, frames[60:]))
        )
        assert many.finish() is grpc.StatusCode.OK, many.closed
        assert value(server, "kineseg_frames_received_total") == 360
