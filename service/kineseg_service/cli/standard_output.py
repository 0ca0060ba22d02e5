"""Standard output that is closed: by whoever reads it, or before the command began."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys

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


def ensure_standard_output() -> None:
    """Python leaves out standard output where it is closed, and what is printed is lost without a word."""
    if sys.stdout is None:
        sys.stdout = ClosedOutput()


def silence_standard_output() -> None:
    """Nobody reads it any more: what is still buffered must not fail when the process ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)
