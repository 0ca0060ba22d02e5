"""Standard output, and what to do if it is closed, or cannot show some letters."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from pathlib import Path

from rich.console import Console

STANDARD_OUTPUT = "standard output"
"""Its name in errors, where other files have their path."""


class ClosedOutput(io.TextIOBase):
    """Stands in for standard output in a process that was started without one: writing fails."""

    def write(self, text: str) -> int:
        """Raises OSError."""
        raise OSError(errno.EBADF, "it is closed", STANDARD_OUTPUT)

    def writable(self) -> bool:
        """True: callers that check first are to write, and get the error."""
        return True


def ensure_standard_streams() -> None:
    """Put something in place of streams that were closed at the start, which Python sets to None.

    Otherwise results would be lost silently, and messages would raise errors.
    """
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process lasts
    # Letters that its encoding lacks are written as on standard error, instead of failing after the work.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def silence_standard_output() -> None:
    """Redirect it to nowhere once its reader is gone, so that flushing it at exit does not fail."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)


def print_line(line: str, console: Console | None = None) -> None:
    """Print one line of a result as it is, without markup or wrapping; to standard output unless a console is given."""
    (console or Console()).print(line, markup=False, highlight=False, soft_wrap=True)
