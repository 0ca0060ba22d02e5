"""The files that a command writes: checked before the work, not after it, and named when they fail."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from kineseg import Event

from kineseg_cli.failures import CommandError
from kineseg_cli.standard_output import STANDARD_OUTPUT

PICTURES = (".png", ".svg", ".pdf")


def check_writable(
    path: Path | None, option: str, suffixes: tuple[str, ...] = (), *, or_standard_output: bool = False
) -> None:
    """Check that a file can be written, before the work that fills it.

    Args:
        path: The file; None: there is none to write.
        option: By which it was named.
        suffixes: One of which its name has to have; empty: any.
        or_standard_output: Whether ``-`` stands for standard output.

    Raises:
        CommandError: The folder is missing, the path is a folder, or the suffix is none of `suffixes`.
    """
    if path is None or (str(path) == "-" and or_standard_output):
        return
    if str(path) == "-":
        raise CommandError(f"{option} -: that does not go to standard output; name a file")
    if path.is_dir():
        raise CommandError(f"{option} {path}: that is a folder; name a file")
    if not path.parent.is_dir():
        raise CommandError(f"{option} {path}: there is no folder {path.parent}")
    if suffixes and path.suffix.lower() not in suffixes:
        raise CommandError(f"{option} {path}: the name must end in one of {', '.join(suffixes)}")


def check_apart(written: Mapping[str, Path | None], read: Mapping[str, Path | None]) -> None:
    """Check that no file is written over one that is read, or written for another purpose.

    Args:
        written: Files by the options that name them.
        read: The same, or in place of an option what the file is.

    Raises:
        CommandError: Two are the same; says which.
    """
    taken: dict[Path, str] = {}
    for option, path in [*read.items(), *written.items()]:
        if path is None or str(path) == "-" or (path.exists() and not path.is_file()):  # such as /dev/null
            continue
        there = taken.setdefault(path.resolve(), option)
        if option in written and there != option:
            raise CommandError(f"{option} {path}: that is {there}, too; name another file")


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Within it, an OSError that names no file gets the name of this one."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def event_file(path: Path | None) -> Iterator[Callable[[Event], None]]:
    """A function that writes events, one line of JSON each, and flushes each at once; without a path it drops them.

    Raises:
        OSError: The file, which it names, cannot be written: the disk is full, or standard output was closed.
    """
    if path is None:
        yield lambda event: None
        return
    name = STANDARD_OUTPUT if str(path) == "-" else str(path)
    with writing(name):
        file = sys.stdout if str(path) == "-" else path.open("w", encoding="utf-8")

    def write(event: Event) -> None:
        with writing(name):
            _write(file, event)

    try:
        yield write
    finally:
        if str(path) != "-":
            with writing(name):
                file.close()


def _write(file: TextIO, event: Event) -> None:
    file.write(json.dumps(event.to_dict(), allow_nan=False) + "\n")
    file.flush()
