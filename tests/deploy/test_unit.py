"""The systemd unit: systemd takes it, the server takes its options and settings, and it may write its name bank."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

from kineseg_service.config import Settings

from tests.deploy.units import DEPLOY, check_with_systemd, service_of

UNIT = "kineseg.service"


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    check_with_systemd(UNIT, tmp_path)


def test_the_label_bank_is_where_the_unit_may_write() -> None:
    settings = Settings(config_file=DEPLOY / "kineseg.toml")
    assert settings.label_bank is not None
    assert service_of(UNIT)["ProtectSystem"] == "strict"
    assert PurePosixPath(settings.label_bank).parent == PurePosixPath("/var/lib") / service_of(UNIT)["StateDirectory"]


def test_the_command_takes_the_options_and_the_settings(tmp_path: Path) -> None:
    program, *options = shlex.split(service_of(UNIT)["ExecStart"])
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
        if line.startswith("{") and json.loads(line)["event"] == "serving":
            process.send_signal(getattr(signal, service_of(UNIT)["KillSignal"]))
            break
    rest = process.communicate(timeout=300)[1]
    assert process.returncode == 0, "".join(lines) + rest
    assert set(tomllib.loads((DEPLOY / "kineseg.toml").read_text())) <= set(Settings.model_fields)
