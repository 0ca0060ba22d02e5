"""The systemd unit: systemd takes it, the server takes its options and settings, and it may write its name bank."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

import pytest
from kineseg_service.config import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def unit() -> configparser.SectionProxy:
    """Its section about the service."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / "kineseg.service")
    return parser["Service"]


def test_systemd_finds_no_fault(unit: configparser.SectionProxy, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    installed = shlex.split(unit["ExecStart"])[0]
    copy = tmp_path / "kineseg.service"  # with a program that is on this machine
    copy.write_text((DEPLOY / "kineseg.service").read_text().replace(installed, sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kineseg.service" not in done.stderr, done.stderr


def test_the_label_bank_is_where_the_unit_may_write(unit: configparser.SectionProxy) -> None:
    settings = Settings(config_file=DEPLOY / "kineseg.toml")
    assert settings.label_bank is not None
    assert unit["ProtectSystem"] == "strict"
    assert PurePosixPath(settings.label_bank).parent == PurePosixPath("/var/lib") / unit["StateDirectory"]


def test_the_command_takes_the_options_and_the_settings(unit: configparser.SectionProxy, tmp_path: Path) -> None:
    program, *options = shlex.split(unit["ExecStart"])
    assert PurePosixPath(program).name == "kineseg"
    assert options[options.index("--config") + 1] == "/etc/kineseg.toml"
    options = [str(DEPLOY / "kineseg.toml") if option == "/etc/kineseg.toml" else option for option in options]
    # What this machine may have taken or may not give, and no more.
    own = ["--port", "0", "--metrics-port", "0", "--label-bank", str(tmp_path / "names.json")]
    process = subprocess.Popen([sys.executable, "-m", "kineseg_cli", *options, *own], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if json.loads(line)["event"] == "serving":
            process.send_signal(getattr(signal, unit["KillSignal"]))
            break
    rest = process.communicate(timeout=300)[1]
    assert process.returncode == 0, "".join(lines) + rest
    assert set(tomllib.loads((DEPLOY / "kineseg.toml").read_text())) <= set(Settings.model_fields)
