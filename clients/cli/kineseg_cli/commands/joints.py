"""`kineseg joints`: which joints of a recording are known by their names, and a mapping file for the rest."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from pathlib import Path
from typing import Annotated

import typer
from kineseg.motion import CANONICAL_JOINTS, read
from kineseg.motion.joint_mapping import REQUIRED_JOINTS, find_joints
from kineseg.motion.joint_names import ALIASES, split_joint_names

from kineseg_cli.failures import CommandError
from kineseg_cli.joint_file import read_mapping
from kineseg_cli.options import JointFile, Rate
from kineseg_cli.outputs import check_apart, check_writable, writing
from kineseg_cli.standard_output import STANDARD_OUTPUT, print_line

_ALIKE = 0.7  # of two words, from 0 to 1, for a guess


def joints(
    file: Annotated[Path, typer.Argument(help="Recording with joints, or what `kineseg stream --record` has kept.")],
    out: Annotated[
        Path | None, typer.Option(help="TOML file for the mapping, to be looked over and given to --mapping.")
    ] = None,
    mapping: JointFile = None,
    rate: Rate = None,
) -> None:
    """Say which joints are recognised, and propose a mapping for the others."""
    check_writable(out, "--out", (".toml",))
    check_apart({"--out": out}, {"the recording": file, "--mapping": mapping})
    recording = read(file, rate=rate)
    if recording.positions is None:
        raise CommandError(f"{file}: it has no joints, but the channels {', '.join(recording.channels[:6])} ...")
    proposed = proposal(recording.joints, read_mapping(mapping))
    if out is None:
        with writing(STANDARD_OUTPUT):
            for line in proposed:
                print_line(line)
    else:
        with writing(out):
            out.write_text("\n".join(proposed) + "\n", encoding="utf-8")
    raise typer.Exit(0 if not any(line.startswith("# NEEDED") for line in proposed) else 1)


def proposal(names: tuple[str, ...], mapping: dict[str, str]) -> list[str]:
    """A mapping file, line by line.

    Args:
        names: Of the joints that there are.
        mapping: Canonical joint -> name, what is known already.

    Raises:
        JointMappingError: The mapping names a joint that does not exist.
    """
    found = find_joints(names, mapping)
    left = [name for at, name in enumerate(names) if at not in found.values()]
    guesses = _guesses(left, [joint for joint in CANONICAL_JOINTS if joint not in found])
    lines = ["# Canonical joint = name of the joint. Lines that begin with # are not read."]
    for joint in CANONICAL_JOINTS:
        if joint in mapping:
            lines.append(f"{joint} = {json.dumps(mapping[joint])}")
        elif joint in found:
            lines.append(f"# {joint} = {json.dumps(names[found[joint]])}  # recognised")
        elif joint in guesses:
            lines.append(f"{joint} = {json.dumps(guesses[joint])}  # a guess: look it over")
        else:
            need = "NEEDED: " if joint in REQUIRED_JOINTS else ""
            lines.append(f"# {need}{joint} = ?")
    unused = [name for name in left if name not in guesses.values()]
    if unused:
        lines.append(f"# Joints without a use: {', '.join(unused)}")
    return lines


def _guesses(names: list[str], missing: list[str]) -> dict[str, str]:
    """Canonical joint -> name that is most like one of the words for it, on the same side; each name once."""
    ranked: list[tuple[float, str, str]] = []
    for name, (side, word) in zip(names, split_joint_names(names), strict=True):
        for joint in missing:
            about, _, kind = joint.rpartition("_")
            if (about or None) != side:
                continue
            alike = max(SequenceMatcher(None, word, alias).ratio() for alias in ALIASES[kind])
            if alike >= _ALIKE:
                ranked.append((alike, joint, name))
    chosen: dict[str, str] = {}
    for _, joint, name in sorted(ranked, key=lambda entry: -entry[0]):
        if joint not in chosen and name not in chosen.values():
            chosen[joint] = name
    return chosen
