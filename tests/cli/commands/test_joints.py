"""`kineseg joints`: a file for the names that are not recognised, which every command then takes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np

from tests.cli.command import Command

# Words that no one uses, as of a rig made at home; those of the left side are alike to known ones.
NAMES = {"elbow": "Elbw", "wrist": "Wrst", "knee": "Kneee", "ankle": "Ankl"}


def renamed(motion_file: Path, path: Path, *, hopeless: bool = False) -> Path:
    with np.load(motion_file) as archive:
        joints = []
        for name in archive["joints"]:
            side, _, word = str(name).rpartition("_")
            made = f"{side.title()}{NAMES.get(word, word.title())}" if side else str(name)
            joints.append("Strut7" if hopeless and name == "left_elbow" else made)
        np.savez(path, positions=archive["positions"], rate=archive["rate"], joints=np.array(joints))
    return path


def test_a_mapping_is_proposed_and_can_be_used(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    take, mapping = renamed(motion_file, tmp_path / "homemade.npz"), tmp_path / "mapping.toml"
    assert kineseg("stream", f"file:{take}?speed=0").status == 2
    outcome = kineseg("joints", take, "--out", mapping)
    assert outcome.status == 0, outcome.err
    proposed = tomllib.loads(mapping.read_text())
    sides = ("left", "right")
    assert proposed == {f"{side}_{word}": f"{side.title()}{name}" for side in sides for word, name in NAMES.items()}
    checked = kineseg("stream", f"file:{take}?speed=0", "--check", "--mapping", mapping)
    assert checked.status == 0, checked.out
    assert "left_elbow = LeftElbw" in checked.out


def test_what_cannot_be_guessed_is_left_to_the_user(kineseg: Command, motion_file: Path, tmp_path: Path) -> None:
    take = renamed(motion_file, tmp_path / "homemade.npz", hopeless=True)
    outcome = kineseg("joints", take)
    assert outcome.status == 1
    assert "# NEEDED: left_elbow = ?" in outcome.out
    assert "# Joints without a use: Strut7" in outcome.out
    assert '# hips = "hips"  # recognised' in outcome.out
