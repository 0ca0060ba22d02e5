"""The systemd unit of a live source: systemd takes it, and the command takes its options."""

from __future__ import annotations

import configparser
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import generate
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer

UNIT = Path(__file__).parents[2] / "deploy" / "kineseg-stream@.service"


@pytest.fixture
def unit() -> configparser.SectionProxy:
    """Its section about the service."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNIT)
    return parser["Service"]


def test_systemd_finds_no_fault(unit: configparser.SectionProxy, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / "kineseg-stream@floor.service"  # with a program that is on this machine
    copy.write_text(UNIT.read_text().replace(shlex.split(unit["ExecStart"])[0], sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kineseg-stream" not in done.stderr, done.stderr


def test_the_command_takes_the_options(unit: configparser.SectionProxy, tmp_path: Path) -> None:
    motion = generate(3, rate=30.0, actions=("walk", "squat"), n_segments=2, min_segment_s=3.0)
    np.savez(tmp_path / "take.npz", positions=motion.positions, rate=motion.rate, joints=np.array(motion.joints))
    with BackgroundServer(Settings(port=0, metrics_port=None, log_level="error")) as server:
        known = {"KINESEG_SOURCE": f"file:{tmp_path / 'take.npz'}?speed=0", "KINESEG_SERVER": server.address}
        _, *options = shlex.split(unit["ExecStart"])
        words = [known.get(word.strip("${}"), word) for word in options]
        command = [sys.executable, "-m", "kineseg_cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | known, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["kind"] == "summary"
    assert f"server {server.address}" in done.stderr
