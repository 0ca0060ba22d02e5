"""What a person reads when a command fails: one line, and an exit status that says whose fault it is."""

from __future__ import annotations

import contextlib
import traceback

from kineseg import KinesegError, RequestError
from kineseg.motion import MotionError
from kineseg_core.errors import BadBank, BadBundle, CannotStart, InvalidRequest, UnknownName
from kineseg_service.errors import ServerFailed
from rich.console import Console

WRONG_INPUT = 2
"""Exit status: the command line or a file cannot be used as it is."""
FAILED = 1
"""Exit status: it was right, and still did not work."""
INTERRUPTED = 130
"""Exit status: somebody pressed Ctrl-C."""
TERMINATED = 143
"""Exit status: somebody sent SIGTERM."""


class CommandError(Exception):
    """What was asked for cannot be done; the message says why and what helps."""


def report(error: Exception, console: Console, *, debug: bool) -> int:
    """Tell the error on the console (standard error) and return the exit status."""
    status, message = _told(error)
    with contextlib.suppress(OSError, ValueError):  # the status says it, too, where standard error is full or closed
        if debug:
            trace = "".join(traceback.format_exception(error))
            console.print(trace, markup=False, highlight=False, end="", soft_wrap=True)
        console.print(f"[bold red]kineseg:[/] {_escaped(message)}", highlight=False, soft_wrap=True)
    return status


def _told(error: Exception) -> tuple[int, str]:
    match error:
        case CommandError() | MotionError() | BadBank() | BadBundle():
            return WRONG_INPUT, str(error)
        case RequestError() | InvalidRequest() | UnknownName():
            return WRONG_INPUT, str(error)
        case KinesegError():
            return FAILED, f"{error}{' (trying again may help)' if error.retryable else ''}"
        case CannotStart() | ServerFailed():
            return FAILED, str(error)
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            return FAILED, f"{place}{error.strerror or error}"
    return FAILED, f"unexpected {type(error).__name__}: {error} (kineseg --debug ... shows where)"


def _escaped(message: str) -> str:
    """On one line, and without meaning to rich."""
    return " ".join(message.split()).replace("[", "\\[")
