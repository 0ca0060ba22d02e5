"""`kineseg serve`, `models`, `version`: a real server process."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kineseg import Client, Health, __version__

from tests.cli.command import Command, start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server process configured by a file and flags, and where it listens."""
    config = tmp_path_factory.mktemp("serve") / "kineseg.toml"
    config.write_text('port = 1\nlog_format = "json"\nmax_sessions = 7\n')
    process = start(["serve", "--config", config, "--port", 0, "--metrics-port", 0])
    assert process.stderr is not None
    address = ""
    for line in process.stderr:
        entry = json.loads(line) if line.startswith("{") else {"event": ""}  # gRPC may say something, too
        if entry["event"] == "serving":
            address = entry["address"]
            break
    yield address, process
    process.kill()
    process.communicate()


def test_it_serves_with_the_flags_over_the_file(server: tuple[str, subprocess.Popen[str]], kineseg: Command) -> None:
    address, _ = server
    assert not address.endswith(":1")
    with Client(address) as client:
        assert client.health() is Health.SERVING
    outcome = kineseg("models", "--server", address, "--json")
    assert outcome.status == 0
    model, scratch = json.loads(outcome.out)
    assert model["is_default"]
    assert len(model["channels"]) == 59
    assert (scratch["name"], scratch["channels"], scratch["is_default"]) == ("scratch", [], False)
    table = kineseg("models", "--server", address).out
    assert model["name"] in table
    assert model["sha256"][:12] in table
    assert "any, named by the stream" in table


def test_sigterm_ends_it_well(server: tuple[str, subprocess.Popen[str]], motion_file: Path, kineseg: Command) -> None:
    address, process = server
    assert kineseg("segment", motion_file, "--server", address).status == 0
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_version(kineseg: Command) -> None:
    outcome = kineseg("version")
    assert outcome.status == 0
    assert outcome.out.startswith(f"kineseg {__version__}\n")
    assert "ONNX Runtime" in outcome.out


def test_help_names_every_command(kineseg: Command) -> None:
    outcome = kineseg("--help")
    assert outcome.status == 0
    for command in ("serve", "segment", "demo", "models", "version"):
        assert command in outcome.out


def test_a_number_of_processes_that_is_none_says_what_it_may_be(kineseg: Command) -> None:
    outcome = kineseg("serve", "--processes", "many")
    assert outcome.status == 2
    assert 'setting processes: it must be a number of processes, or "auto"' in " ".join(outcome.err.split())
