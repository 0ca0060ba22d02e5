"""What a command says beside its result: lines on standard error, which may be lost without any harm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from rich.console import Console


class Notes(Console):
    """Standard error for people."""

    def __init__(self) -> None:
        super().__init__(stderr=True)

    def on_broken_pipe(self) -> None:
        """No one reads: what is said is lost, and the result is not."""

    def say(self, line: str) -> None:
        """One line, as it is."""
        with contextlib.suppress(OSError, ValueError):  # a full disk, or standard error was closed
            self.print(line, markup=False, highlight=False, soft_wrap=True)

    def say_of(self, name: str, lines: Iterable[str]) -> None:
        """What was assumed of a file, one line each."""
        for line in lines:
            self.say(f"{name}: {line}")
