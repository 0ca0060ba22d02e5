"""Files that a command is asked to write: checked before the work, not after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from kineseg import Event

from kineseg_service.cli.failures import CommandError

PICTURES = (".png", ".svg", ".pdf")


def check_writable(path: Path | None, option: str, suffixes: tuple[str, ...] = ()) -> None:
    """Refuse what could only fail after the work.

    Raises:
        CommandError: The folder is missing, the path is a folder, or the suffix is none of `suffixes`.
    """
    if path is None or str(path) == "-":
        return
    if path.is_dir():
        raise CommandError(f"{option} {path}: that is a folder; name a file")
    if not path.parent.is_dir():
        raise CommandError(f"{option} {path}: there is no folder {path.parent}")
    if suffixes and path.suffix.lower() not in suffixes:
        raise CommandError(f"{option} {path}: the name must end in one of {', '.join(suffixes)}")


def write_event(file: TextIO, event: Event) -> None:
    """One line of JSON, out at once."""
    file.write(json.dumps(event.to_dict(), allow_nan=False) + "\n")
    file.flush()
