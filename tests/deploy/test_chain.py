"""From a source to the pager, with all that lies between: a fault is an alert in a real Alertmanager while it lasts.

A twin plays, `kineseg stream` hears it, a server segments, `kineseg relay` brings what is wrong to Alertmanager.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import kineseg as sdk
import numpy as np
import pytest
from kineseg.motion import generate, inject
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from evaluation.ports import free_port
from tests.cli.command import start
from tests.sources.brokers import Broker, found

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
# How long an alert may take from when it is decided, of which a hundredth is needed, and a machine may be busy.
MOST_S = 30.0
PATIENCE_S = 300.0


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Broker]:
    """One with the configuration that is shipped."""
    program, port = found("prometheus-alertmanager", "apt-get install prometheus-alertmanager"), free_port()
    broker = Broker(
        [
            program, f"--config.file={COMPOSE / 'alertmanager.yml'}", f"--storage.path={tmp_path / 'kept'}",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        ],
        port,
    )  # fmt: skip
    broker.start()
    yield broker
    broker.stop()


class Chain:
    """The processes between a recording and an Alertmanager. To be closed."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, says: str, *command: object) -> None:
        """Starts a command, and waits until it says so on standard error."""
        process = start(command)
        self._stack.callback(process.communicate)
        self._stack.callback(process.kill)
        self._processes[str(command[0])] = process
        assert process.stderr is not None
        said = [line := process.stderr.readline()]
        while says not in line:
            assert line, (command, said)
            said.append(line := process.stderr.readline())

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Waits for something that must happen."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            for name, process in self._processes.items():
                assert process.poll() in (None, 0), (name, process.communicate())
            assert time.monotonic() < deadline, what
            time.sleep(0.02)


def active(alertmanager: Broker) -> dict[str, dict[str, Any]]:
    """The alerts that are active now, by the ids of anomalies."""
    with urllib.request.urlopen(f"http://127.0.0.1:{alertmanager.port}/api/v2/alerts") as answer:
        return {alert["annotations"]["anomaly_id"]: alert for alert in json.load(answer)}


def test_a_fault_is_an_alert_while_it_lasts(alertmanager: Broker, tmp_path: Path) -> None:
    rig = generate(3, rate=30.0, n_segments=10, min_segment_s=3.0)
    rig = inject(rig, "frozen", start_s=12.0, duration_s=40.0, seed=1)  # long enough to be looked at while it lasts
    np.savez(tmp_path / "take.npz", positions=rig.positions, rate=rig.rate, joints=np.array(rig.joints))
    udp = f"ndjson+udp://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        server = stack.enter_context(BackgroundServer(Settings(port=0, metrics_port=None, log_level="error")))
        client = stack.enter_context(sdk.Client(server.address))
        watch = stack.enter_context(client.watch(kinds=["anomaly", "anomaly_cleared"]))
        chain = Chain(stack)
        kept, events, at = tmp_path / "relay.sqlite", tmp_path / "events.jsonl", ("--server", server.address)
        sink = f"alertmanager+http://127.0.0.1:{alertmanager.port}"
        chain.start("following", "relay", *at, "--sink", sink, "--cursor", kept, "--from-beginning")
        chain.start("listening", "stream", f"{udp}?up=y", *at, "--out", events)
        chain.start("playing", "play", tmp_path / "take.npz", "--to", udp, "--speed", 6)
        raised = next(watch).event
        assert isinstance(raised, sdk.AnomalyRaised)
        anomaly = str(raised.anomaly_id)
        chain.until(lambda: anomaly in active(alertmanager), "an alert")
        assert time.time() - raised.emitted_unix_ns / 1e9 < MOST_S
        alert = active(alertmanager)[anomaly]
        assert alert["annotations"]["stream_id"] == raised.stream_id
        assert alert["labels"]["class"] == "fault"
        chain.until(lambda: active(alertmanager)[anomaly]["labels"]["kind"] == "frozen", "what it is")
        cleared = next(each.event for each in watch if isinstance(each.event, sdk.AnomalyCleared))
        assert cleared.anomaly_id == raised.anomaly_id
        chain.until(lambda: anomaly not in active(alertmanager), "the end of the alert")
        assert time.time() - cleared.emitted_unix_ns / 1e9 < MOST_S
