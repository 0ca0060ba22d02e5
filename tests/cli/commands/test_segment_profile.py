"""`kineseg segment --profile`: read if it is there, written at the end, and never lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import Command


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """Twenty seconds of two channels."""
    path = tmp_path / "take.csv"
    values = np.random.default_rng(0).normal(size=(600, 2)).cumsum(0)
    np.savetxt(path, values, delimiter=",", header="x,y", comments="")
    return path


def arguments(take: Path, *more: object) -> tuple[object, ...]:
    return ("segment", take, "--model", "scratch", "--rate", "30", *more)


def test_a_profile_is_made_and_goes_on(kineseg: Command, take: Path, tmp_path: Path) -> None:
    profile = tmp_path / "rig.json"
    for _ in range(2):
        outcome = kineseg(*arguments(take, "--profile", profile))
        assert outcome.status == 0, outcome.err
    learnt = json.loads(profile.read_text())
    assert learnt["source"]["names"] == ["x", "y"]
    assert learnt["learnt_s"] > 30
    assert {path.name for path in tmp_path.iterdir()} == {"take.csv", "rig.json"}, "nothing half written is left"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "it is not JSON"),
        (b"[1]", "no JSON object"),
        (b"\xff\xfe", "not text"),
        (b"{}", "version 1"),
        (b'{"version": 1, "source": {"names": ["a"], "parents": null, "rate_hz": 30}}', "1 channels, and here are 2"),
    ],
)
def test_what_is_not_this_rigs_profile_is_refused_and_kept(
    kineseg: Command, take: Path, tmp_path: Path, content: bytes, says: str
) -> None:
    profile = tmp_path / "rig.json"
    profile.write_bytes(content)
    outcome = kineseg(*arguments(take, "--profile", profile))
    assert (outcome.status, outcome.out) == (2, "")
    assert says in outcome.err
    assert f"--profile {profile}: " in outcome.err
    assert profile.read_bytes() == content


def test_a_place_where_no_profile_can_be_written_is_refused_before_the_work(
    kineseg: Command, take: Path, tmp_path: Path, unwritable: Path
) -> None:
    for place, says in (
        (tmp_path, "that is a folder"),
        (tmp_path / "no" / "rig.json", "there is no folder"),
        (unwritable / "rig.json", "cannot be read and written"),
    ):
        outcome = kineseg(*arguments(take, "--profile", place))
        assert (outcome.status, outcome.out) == (2, "")
        assert says in outcome.err
