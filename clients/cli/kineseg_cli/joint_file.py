"""Reads a mapping of joints from a file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from kineseg_cli.failures import CommandError


def read_mapping(path: Path | None) -> dict[str, str]:
    """Canonical joint -> joint name; nothing without a file.

    Args:
        path: JSON or, by its suffix, TOML: one object of names.

    Raises:
        CommandError: It cannot be read, or is no such object.
    """
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--mapping {path}: cannot be read ({error})") from error
    kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    try:
        values = tomllib.loads(text) if kind == "TOML" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"--mapping {path}: not {kind} ({error})") from error
    if not isinstance(values, dict) or not values or not all(isinstance(name, str) for name in values.values()):
        raise CommandError(
            f'--mapping {path}: expected an object of names, such as {{"left_elbow": "LFarm"}}: canonical joint to the '
            "name of the joint in the recording"
        )
    return values
