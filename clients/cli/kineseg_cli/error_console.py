"""Messages of a command beside its result: lines on standard error, which may be lost without harm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from rich.console import Console


class ErrorConsole(Console):
    """The console on standard error; what cannot be written there is dropped."""

    def __init__(self) -> None:
        super().__init__(stderr=True)

    def on_broken_pipe(self) -> None:
        """Drop the message: the result does not depend on it."""

    def print_line(self, line: str) -> None:
        """Print one line as it is, without markup or wrapping."""
        with contextlib.suppress(OSError, ValueError):  # a full disk, or standard error was closed
            self.print(line, markup=False, highlight=False, soft_wrap=True)

    def print_notes(self, name: str, lines: Iterable[str]) -> None:
        """Print what was assumed about a file, one line each."""
        for line in lines:
            self.print_line(f"{name}: {line}")
