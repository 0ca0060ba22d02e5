"""`kineseg relay`, and `--sink` of the commands that segment."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kineseg as sdk
import numpy as np
import pytest
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from evaluation.chaos.proxy import Proxy
from tests.cli.command import Command, start
from tests.event_schema import check_events
from tests.sinks.alertmanagers import alertmanager

PATIENCE_S = 300.0


@contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A relay, killed in the end if it still runs."""
    relay = start(["relay", *arguments])
    try:
        yield relay
    finally:
        relay.kill()
        relay.communicate()


def delivered(path: Path) -> list[dict[str, Any]]:
    """What was delivered; what came twice, as it may when a relay is killed, is the same."""
    found: dict[str, dict[str, Any]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        event = json.loads(line)
        assert found.setdefault(event["id"], event) == event
    return list(found.values())


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def until_ended(path: Path, session: str) -> list[dict[str, Any]]:
    """What was delivered of a session, as soon as its summary was."""
    found: list[dict[str, Any]] = []

    def has_ended() -> bool:
        found[:] = [event for event in delivered(path) if event["session_id"] == session]
        return bool(found) and found[-1]["kind"] == "summary"

    until(has_ended)
    return found


def sent(address: str, session: str) -> list[dict[str, Any]]:
    """A stream of that name is segmented; its events, as they are delivered."""
    signal_of_six = np.cumsum(np.random.default_rng(3).normal(size=(600, 6)), axis=0)
    with sdk.Client(address) as client:
        found = client.segment(signal_of_six, rate=30, model="scratch", session_id=session)
    return [{**event.to_dict(), "session_id": session} for event in found.events]


def test_a_relay_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    out, spool = tmp_path / "out.jsonl", tmp_path / "spool.sqlite"
    with (
        BackgroundServer(Settings(port=0, metrics_port=None, log_level="error")) as server,
        Proxy(server.address) as way,
    ):
        everything = ("--session", "line-*", "--kinds", "segment,anomaly,missing,summary")
        command = ("--server", way.address, "--sink", f"jsonl:{out}", "--cursor", spool, *everything)
        with started(*command, "--from-beginning"):
            first = sent(server.address, "line-1")
            sent(server.address, "other")
            assert until_ended(out, "line-1") == first
        meanwhile = sent(server.address, "line-2")
        with started(*command) as relay:
            assert until_ended(out, "line-2") == meanwhile
            with way.away():
                last = sent(server.address, "line-3")
            assert until_ended(out, "line-3") == last
            relay.send_signal(signal.SIGTERM)
            _, said = relay.communicate(timeout=PATIENCE_S)
            assert relay.returncode == 0
    assert "events delivered" in said
    assert check_events(delivered(out)) == len(first + meanwhile + last)


def test_an_alert_of_a_stream_that_is_lost_with_its_server_is_resolved(tmp_path: Path) -> None:
    usual = np.random.default_rng(3).normal(size=(900, 6)).cumsum(axis=0)
    usual[810:, 2] = usual[810, 2]
    settings = Settings(port=0, metrics_port=None, log_level="error")
    with (
        alertmanager(tmp_path) as alerts,
        BackgroundServer(settings) as server,
        BackgroundServer(settings) as other,
        Proxy(server.address) as way,
        sdk.Client(server.address) as client,
        started(
            "--server", way.address, "--sink", alerts.url, "--cursor", tmp_path / "spool", "--from-beginning"
        ) as relay,
    ):
        assert relay.stderr is not None
        assert "following" in relay.stderr.readline()
        until(lambda: way.connections > 0)
        with client.stream(rate=30, model="scratch", channels=list("abcdef"), session_id="line-1") as stream:
            stream.send(usual)
            until(lambda: "line-1" in [alert["labels"]["session"] for alert in alerts.alerts()])
            way.retarget(other.address)
            way.cut()
            sent(other.address, "line-2")  # what another server says is of another log
            until(lambda: not alerts.alerts())


def test_a_relay_waits_for_its_server(tmp_path: Path) -> None:
    with started("--server", "127.0.0.1:9", "--sink", "jsonl:-", "--cursor", tmp_path / "spool") as relay:
        assert relay.stderr is not None
        lines = [relay.stderr.readline() for _ in range(2)]
        relay.send_signal(signal.SIGTERM)
        relay.communicate(timeout=PATIENCE_S)
        assert "following 127.0.0.1:9" in lines[0]
        assert "trying again" in lines[1]
        assert relay.returncode == 0


@pytest.mark.parametrize("arguments", [["--sink", "nonsense:x"], ["--sink", "jsonl:-", "--kinds", "nonsense"]])
def test_what_cannot_be_relayed(kineseg: Command, tmp_path: Path, arguments: list[str]) -> None:
    outcome = kineseg("relay", "--cursor", tmp_path / "spool", *arguments)
    assert outcome.status == 2
    assert "there are: " in outcome.err


def test_what_is_segmented_goes_to_sinks(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    out, to = tmp_path / "out.jsonl", tmp_path / "sink.jsonl"
    outcome = kineseg("stream", f"file:{motion_file}?speed=0", "--out", out, "--sink", f"jsonl:{to}")
    assert outcome.status == 0, outcome.err
    assert "events delivered" in outcome.err
    check_events(delivered(to))
    assert [{**event, "session_id": event["stream_id"]} for event in delivered(out)] == delivered(to)
