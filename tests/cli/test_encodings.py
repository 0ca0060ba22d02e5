"""Names in any script, where standard output cannot write them: redirected on Windows, or in an old locale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Outcome, start

NAME = "走る 🏃"


@pytest.fixture(params=["cp1252", "ascii"])
def encoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PYTHONIOENCODING", request.param)
    return str(request.param)


def run(*arguments: object) -> Outcome:
    process = start(arguments)
    out, err = process.communicate(timeout=300)
    return Outcome(process.returncode, out, err)


def test_a_name_is_taught_and_listed(encoding: str, motion_file: Path, tmp_path: Path) -> None:
    bank = tmp_path / "names.json"
    taught = run("label", "teach", NAME, motion_file, "--frames", "0:200", "--bank", bank)
    assert taught.status == 0, taught.err
    listed = run("label", "list", "--bank", bank)
    assert listed.status == 0, listed.err
    assert "\\u8d70" in taught.out
    assert "\\u8d70" in listed.out
    as_json = run("label", "list", "--json", "--bank", bank)
    assert [learnt["name"] for learnt in json.loads(as_json.out)] == [NAME]


@pytest.mark.parametrize("encoding", ["ascii"], indirect=True)  # it writes nothing that the other cannot
def test_a_recording_with_such_a_name(encoding: str, motion_file: Path, tmp_path: Path) -> None:
    named = tmp_path / f"{NAME}.npz"
    named.write_bytes(motion_file.read_bytes())
    done = run("segment", named, "--out", "-")
    assert done.status == 0, done.err
    assert json.loads(done.out.splitlines()[-1])["kind"] == "summary"
    assert run("demo", named, "--speed", "100", "--out", tmp_path / "out").status == 0
