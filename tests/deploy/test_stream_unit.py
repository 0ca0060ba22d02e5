"""The systemd unit of a live source: systemd takes it, and the command takes its options."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
from kineseg.motion import generate
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

from tests.deploy.units import check_with_systemd, service_of

UNIT = "kineseg-stream@.service"


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    check_with_systemd(UNIT, tmp_path)


def test_the_command_takes_the_options(tmp_path: Path) -> None:
    motion = generate(3, rate=30.0, actions=("walk", "squat"), n_segments=2, min_segment_s=3.0)
    np.savez(tmp_path / "take.npz", positions=motion.positions, rate=motion.rate, joints=np.array(motion.joints))
    with BackgroundServer(Settings(port=0, metrics_port=None, log_level="error")) as server:
        known = {"KINESEG_SOURCE": f"file:{tmp_path / 'take.npz'}?speed=0", "KINESEG_SERVER": server.address}
        _, *options = shlex.split(service_of(UNIT)["ExecStart"])
        words = [known.get(word.strip("${}"), word) for word in options]
        command = [sys.executable, "-m", "kineseg_cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | known, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["kind"] == "summary"
    assert f"server {server.address}" in done.stderr
