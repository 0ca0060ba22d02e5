"""Servers that are killed while `kineseg stream` and `kineseg segment` send to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from kineseg import Client, KinesegError, segment
from kineseg.motion import generate, read
from kineseg.sources.recorded import load_recorded

from evaluation.ports import free_port
from tests.cli.command import start
from tests.same_events import content

PATIENCE_S = 240.0


def events_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def without_clock(events: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{key: value for key, value in event.items() if key != "capture_time_ns"} for event in content(events)]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@pytest.fixture
def port() -> int:
    return free_port()


@contextmanager
def a_server(port: int, store: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own, so that it can be killed."""
    settings = {"PORT": port, "METRICS_PORT": "none", "LOG_LEVEL": "error", "STORE": store, "STORE_INTERVAL_S": 0.1}
    environment = os.environ | {f"KINESEG_{name}": str(value) for name, value in settings.items()}
    process = subprocess.Popen([sys.executable, "-m", "kineseg_service.server"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds, in which something is decided early on."""
    motion = generate(3, rate=60.0, actions=("walk", "squat", "wave"), duration_s=12.0)
    path = tmp_path_factory.mktemp("takes") / "take.npz"
    np.savez(path, positions=motion.positions, rate=motion.rate, joints=np.array(motion.joints))
    return path


@pytest.fixture(scope="module")
def undisturbed(take: Path) -> list[dict[str, object]]:
    events = segment(read(take)).events
    return without_clock([event.to_dict() for event in events])


@pytest.mark.parametrize("command", ["stream", "segment"])
def test_a_server_that_is_killed_and_started_anew_goes_on(
    command: str, take: Path, port: int, undisturbed: list[dict[str, object]], tmp_path: Path
) -> None:
    out, kept, store = tmp_path / "events.jsonl", tmp_path / "kept.npz", f"sqlite:{tmp_path / 'streams.db'}"
    given: list[object] = ["--out", out, "--server", f"127.0.0.1:{port}", "--provisional"]
    if command == "stream":
        given += [f"file:{take}?speed=2", "--record", kept]
    else:
        given += [take, "--realtime"]
    with a_server(port, store) as server:
        until(lambda: serves(port))
        sending = start([command, *given])
        until(lambda: len(events_of(out)) > 1 or sending.poll() is not None)
        assert sending.poll() is None, sending.communicate()
        server.kill()
        server.wait()
        with a_server(port, store):
            _, err = sending.communicate(timeout=PATIENCE_S)
    assert sending.returncode == 0, err
    events = events_of(out)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert without_clock(events) == undisturbed
    if command == "stream":
        assert "no connection to the server: it is tried again" in err
        assert "frames were sent again, nothing is lost" in err
        recorded = load_recorded(kept)
        assert recorded is not None
        with np.load(take) as archive:
            np.testing.assert_array_equal(recorded.values, archive["positions"].astype(np.float32))


def serves(port: int) -> bool:
    try:
        with Client(f"127.0.0.1:{port}", timeout=5.0, retries=0) as client:
            return bool(client.models())
    except KinesegError:
        return False
