"""Running a command, in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


def start(arguments: Sequence[object], **options: object) -> subprocess.Popen[str]:
    """A command in a process of its own, off any terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "kineseg_cli", *(str(argument) for argument in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "100"},
        **options,  # type: ignore[call-overload]
    )
