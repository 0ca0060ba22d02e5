"""The compose file, and the image that it is of: what they name is there, and the commands are such as there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from kineseg_cli.app import app
from kineseg_service.config import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "compose"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "compose.yml").read_text(encoding="utf-8"))["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "kineseg"}
DOCKERFILE = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")


def test_commands_are_such_as_there_are() -> None:
    command = typer.main.get_command(app)
    for name, service in OURS.items():
        words = service.get("command", ["serve"])
        context = command.make_context("kineseg", list(words), resilient_parsing=False)
        _, chosen, rest = command.resolve_command(context, words)  # type: ignore[attr-defined]
        with chosen.make_context(words[0], list(rest), parent=context):
            assert name


def test_the_server_takes_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    of_image = dict(re.findall(r"(KINESEG_\w+)=(\S+)", DOCKERFILE.split("USER ")[0].rpartition("\nENV ")[2]))
    for name, value in (of_image | SERVICES["server"]["environment"]).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.host == "0.0.0.0"
    names = {f"KINESEG_{name.upper()}" for name in Settings.model_fields}
    assert set(of_image) | set(SERVICES["server"]["environment"]) <= names


def test_what_is_mounted_and_waited_for_is_there() -> None:
    volumes = set(yaml.safe_load((FOLDER / "compose.yml").read_text(encoding="utf-8"))["volumes"])
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (FOLDER / source).exists() if source.startswith(".") else source in volumes, (name, mount)
        assert set(service.get("depends_on", [])) <= set(SERVICES), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    for service in OURS.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_prometheus_scrapes_what_listens() -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    assert targets == {"kineseg": [f"server:{Settings().metrics_port}"], "kineseg-relay": ["relay:9465"]}
    assert "--metrics=0.0.0.0:9465" in SERVICES["relay"]["command"]


def test_what_the_image_copies_is_not_ignored() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    taken = [line[1:] for line in lines if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == each or source.startswith(f"{each}/") for each in taken), source


def test_the_image_has_extras_that_there_are_and_all_sinks_but_parquet() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    [text] = re.findall(r"extras=([a-z,-]+)", DOCKERFILE)
    named = set(text.split(","))
    assert named <= set(extras)
    sinks, live = (set(re.findall(r"[a-z-]+", extras[name][0].partition("[")[2])) for name in ("sinks", "live"))
    assert sinks - named - live == {"parquet"}
