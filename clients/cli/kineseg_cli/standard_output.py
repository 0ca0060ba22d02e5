"""Standard output that is closed, by whoever reads it or before the command began, or that lacks some letters."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from pathlib import Path

from rich.console import Console

STANDARD_OUTPUT = "standard output"
"""Its name where an error has to say which file it is about."""


class ClosedOutput(io.TextIOBase):
    """What stands for standard output in a process that was started without one: writing fails."""

    def write(self, text: str) -> int:
        """Raises OSError."""
        raise OSError(errno.EBADF, "it is closed", STANDARD_OUTPUT)

    def writable(self) -> bool:
        """Some ask first."""
        return True


def ensure_standard_streams() -> None:
    """Python leaves out what is closed: results would be lost without a word, and words would be errors."""
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process lasts
    # Letters that its encoding lacks are written as on standard error, instead of failing after the work.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def silence_standard_output() -> None:
    """No one reads it any more: what is still buffered must not fail when the process ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)


def say(line: str, console: Console | None = None) -> None:
    """One line of a result for people, as it is; to standard output, or to the console that stands for it."""
    (console or Console()).print(line, markup=False, highlight=False, soft_wrap=True)
