"""The systemd unit of a relay: systemd takes it, the command takes its options, and it may write what waits."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from evaluation.ports import free_port
from tests.deploy.units import check_with_systemd, service_of

UNIT = "kineseg-relay.service"


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    check_with_systemd(UNIT, tmp_path)


def test_the_command_takes_the_options(tmp_path: Path) -> None:
    state = f"/var/lib/{service_of(UNIT)['StateDirectory']}"
    with BackgroundServer(Settings(port=0, metrics_port=None, packaged_bundle=False, log_level="error")) as server:
        known = {"KINESEG_SERVER": server.address, "KINESEG_SINK": f"jsonl:{tmp_path / 'events.jsonl'}"}
        _, *options = shlex.split(service_of(UNIT)["ExecStart"])
        words = [known.get(word.strip("${}"), word) for word in options]
        assert any(word.startswith(f"{state}/") for word in words)
        words = [word.replace(state, str(tmp_path)).replace(":9465", f":{free_port()}") for word in words]
        command = [sys.executable, "-m", "kineseg_cli", *words]
        relay = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | known)
        assert relay.stderr is not None
        assert "following" in relay.stderr.readline()
        relay.terminate()
        _, said = relay.communicate(timeout=300)
    assert "0 events delivered" in said
