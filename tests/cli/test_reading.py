"""A mapping of joints and a layout on the command line: a file whose names say nothing is segmented all the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kineseg.motion import Recording

from tests.cli.command import Command


def unnamed(motion: Recording, folder: Path) -> tuple[Path, dict[str, str]]:
    """The motion as columns of numbers, and which joint is which."""
    assert motion.positions is not None
    file = folder / "points.csv"
    np.savetxt(file, motion.positions.reshape(motion.n_frames, -1), delimiter=",", fmt="%.6f")
    return file, {joint: f"joint_{i}" for i, joint in enumerate(motion.joints)}


@pytest.mark.parametrize("kind", ["json", "toml"])
def test_points_without_names_give_what_named_ones_give(
    kineseg: Command, motion: Recording, motion_file: Path, tmp_path: Path, kind: str
) -> None:
    file, mapping = unnamed(motion, tmp_path)
    known = tmp_path / f"joints.{kind}"
    known.write_text(
        json.dumps(mapping) if kind == "json" else "".join(f'{joint} = "{name}"\n' for joint, name in mapping.items())
    )
    outcome = kineseg("segment", file, "--rate", 60, "--layout", "positions", "--mapping", known, "--out", "-")
    assert outcome.status == 0, outcome.err
    expected = kineseg("segment", motion_file, "--out", "-")

    def segments(lines: str) -> list[tuple[int, int, int]]:
        events = [json.loads(line) for line in lines.splitlines()]
        return [(e["start_frame"], e["end_frame"], e["label"]) for e in events if e["kind"] == "segment_closed"]

    assert segments(outcome.out) == segments(expected.out)
    assert len(segments(outcome.out)) > 2


def test_without_the_mapping_the_remedy_is_named(kineseg: Command, motion: Recording, tmp_path: Path) -> None:
    file, _ = unnamed(motion, tmp_path)
    outcome = kineseg("segment", file, "--rate", 60, "--layout", "positions")
    assert outcome.status == 2
    assert "--mapping FILE" in outcome.err


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "not JSON"),
        ("a.toml", "= 3", "not TOML"),
        ("a.json", "[1, 2]", "expected an object of names"),
        ("a.json", '{"hips": 3}', "expected an object of names"),
        ("a.json", '{"hips": "banana"}', "no joint 'banana'"),
        ("a.json", '{"belly button": "hips"}', "'belly button' is not a canonical joint"),
        ("missing.json", None, "cannot be read"),
    ],
)
def test_a_mapping_that_cannot_be_used(
    kineseg: Command, motion_file: Path, tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    for command in (("segment", motion_file), ("demo", motion_file, "--out", tmp_path / "out")):
        outcome = kineseg(*command, "--mapping", file)
        assert outcome.status == 2
        assert message in outcome.err
    bank = tmp_path / "bank.json"
    outcome = kineseg("label", "teach", "walking", motion_file, "--bank", bank, "--mapping", file)
    assert outcome.status == 2
    assert message in outcome.err
