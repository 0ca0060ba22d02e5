"""Names in any script, where standard output cannot write them: redirected on Windows, or in an old locale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Outcome, start

NAME = "走る 🏃"


def side_by_side(encoding: str, *commands: tuple[object, ...]) -> list[Outcome]:
    """What comes of commands whose standard output has this encoding."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONIOENCODING", encoding)
        processes = [start(command) for command in commands]
    outputs = [process.communicate(timeout=300) for process in processes]
    return [Outcome(process.returncode, *output) for process, output in zip(processes, outputs, strict=True)]


def test_a_name_is_taught_and_listed(motion_file: Path, tmp_path: Path) -> None:
    bank = ("--bank", tmp_path / "names.json")
    (taught,) = side_by_side("ascii", ("label", "teach", NAME, motion_file, "--frames", "0:200", *bank))
    assert taught.status == 0, taught.err
    listed, as_json = side_by_side("cp1252", ("label", "list", *bank), ("label", "list", "--json", *bank))
    assert listed.status == 0, listed.err
    assert "\\u8d70" in taught.out
    assert "\\u8d70" in listed.out
    assert [learnt["name"] for learnt in json.loads(as_json.out)] == [NAME]


def test_a_recording_with_such_a_name(motion_file: Path, tmp_path: Path) -> None:
    named = tmp_path / f"{NAME}.npz"
    named.write_bytes(motion_file.read_bytes())
    demo = ("demo", named, "--speed", "100", "--out", tmp_path / "out")
    segmented, shown = side_by_side("ascii", ("segment", named, "--out", "-"), demo)
    assert segmented.status == 0, segmented.err
    assert json.loads(segmented.out.splitlines()[-1])["kind"] == "summary"
    assert shown.status == 0, shown.err
