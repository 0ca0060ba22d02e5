"""Streams of one call go on at other servers by themselves, whether theirs was killed or asked to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import kineseg
import numpy as np
import pytest
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.sdk.conftest import until
from tests.sdk.test_resume import Motion, events_of, reconnections
from tests.service.stores.servers import redis_server

EVERY_S = 0.2


@pytest.fixture
def stored(request: pytest.FixtureRequest, tmp_path: Path, tiny_bundle: Path) -> Iterator[dict[str, Any]]:
    """Settings of servers that share a store."""
    (tmp_path / "key").write_bytes(bytes(range(32)))
    common = {"bundles": str(tiny_bundle), "packaged_bundle": False, "port": 0, "metrics_port": None,
              "log_level": "error", "store_key": str(tmp_path / "key"), "store_interval_s": EVERY_S}  # fmt: skip
    if request.param == "sqlite":
        yield {**common, "store": f"sqlite:{tmp_path / 'streams.db'}"}
        return
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        yield {**common, "store": server.url}


@contextmanager
def process(settings: dict[str, Any]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and where it is."""
    given = settings | {"log_level": "info", "log_format": "json", "metrics_port": "none"}
    environment = os.environ | {f"KINESEG_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-m", "kineseg_service.server"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as started:
        try:
            assert started.stderr is not None
            lines = (json.loads(line) for line in started.stderr if line.startswith("{"))
            yield started, next(line["address"] for line in lines if line["event"] == "serving")
        finally:
            started.kill()


@pytest.fixture(scope="module")
def takes() -> list[Motion]:
    t = np.arange(600) / 30
    size = (1 + (t // 5 % 2))[:, None]
    return [np.stack([np.sin(w * t), np.cos(w * t), np.sin(2 * w * t)], 1).astype(np.float32) * size for w in (3, 7)]


@pytest.mark.parametrize(
    ("connect", "stored"), [("sync", "sqlite"), ("async", "redis")], indirect=True, ids=["sqlite", "redis"]
)
def test_streams_of_one_call_go_on_at_whichever_server_there_is(
    connect: Any, stored: dict[str, Any], takes: list[Motion]
) -> None:
    with ExitStack() as stack:
        killed, first = stack.enter_context(process(stored))
        second = stack.enter_context(BackgroundServer(Settings(**stored)))
        third = stack.enter_context(BackgroundServer(Settings(**stored)))
        expected = []
        for take in takes:
            with connect(third.address).stream(rate=30, frame_results=True) as alone:
                alone.send(take)
                alone.end_input()
                expected.append(events_of(list(alone)))

        client = connect(f"{first},{second.address},{third.address}", limits=kineseg.Limits(in_flight_s=3))
        with client.streams() as many:
            streams = [many.open(rate=30, frame_results=True, session_id=f"take-{at}") for at in range(len(takes))]
            items: dict[Any, list[Any]] = {stream: [] for stream in streams}

            def read() -> None:
                for stream, item in many.poll():
                    items[stream].append(item)

            def send(begin: int, end: int) -> None:
                for at in range(begin, end, 15):
                    many.send({stream: take[at : at + 15] for stream, take in zip(streams, takes, strict=True)})
                    read()

            def all_are_back() -> bool:
                read()
                return all(map(reconnections, items.values()))

            def all_are_safe() -> bool:
                read()
                return all(stream._protocol.resume is not None and stream._protocol.resume._safe for stream in streams)

            send(0, 210)
            until(lambda: streams[0].frames_processed >= 120, "some of it is processed")
            until(all_are_safe, "some of each is in the store")  # what is not by then is lost with its server
            killed.kill()
            send(210, 420)
            until(all_are_back, "they go on")
            second.stop()
            send(420, 600)
            many.end_input()
            for stream, item in many:
                items[stream].append(item)
    for stream, wanted in zip(streams, expected, strict=True):
        assert stream.error is None
        assert events_of(items[stream]) == wanted
        assert len(reconnections(items[stream])) == 2


@pytest.mark.parametrize(
    ("connect", "stored"), [("sync", "sqlite"), ("async", "sqlite")], indirect=True, ids=["sync", "async"]
)
def test_a_store_that_keeps_nothing_slows_no_one(connect: Any, stored: dict[str, Any], takes: list[Motion]) -> None:
    limits = kineseg.Limits(keep_s=2.0, stall_s=0.5, silence_s=20.0)
    with BackgroundServer(Settings(**stored | {"store_interval_s": 600.0})) as server:
        client = connect(server.address, limits=limits)
        with client.stream(rate=30, resume=False) as alone:
            alone.send(takes[0])
            alone.end_input()
            expected = events_of(list(alone))
        with client.stream(rate=30) as stream:
            for first in range(0, len(takes[0]), 90):
                stream.send(takes[0][first : first + 90])
            stream.end_input()
            items = list(stream)
        assert events_of(items) == expected
