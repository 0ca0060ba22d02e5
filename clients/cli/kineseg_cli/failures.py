"""How a command reports an error: one line, and an exit status that separates wrong input from other failures."""

from __future__ import annotations

import contextlib
import re
import traceback

from kineseg import KinesegError, RequestError
from kineseg.motion import MotionError
from kineseg.sinks import SinkError
from kineseg.sources import SourceError, SourceLost
from kineseg_core.errors import BadBundle, BadFile, BadSetting, CannotStart, InvalidRequest, UnknownName
from kineseg_service.errors import ServerFailed
from rich.console import Console

WRONG_INPUT = 2
"""Exit status: the command line or a file cannot be used as it is."""
FAILED = 1
"""Exit status: the command line was right, and still it did not work."""
INTERRUPTED = 130
"""Exit status: Ctrl-C was pressed (SIGINT)."""
TERMINATED = 143
"""Exit status: SIGTERM was sent."""


_OPTIONS = {
    "latency_s": "--latency",
    "boundary_threshold": "--threshold",
    "alarms_per_hour": "--alarms-per-hour",
    "reports_per_hour": "--reports-per-hour",
}
"""The options of a command, by the fields of a stream that they set."""
_FIELD = re.compile(rf"\b({'|'.join(_OPTIONS)})\b")


class CommandError(Exception):
    """The command cannot be carried out; the message says why and what helps."""


def report(error: Exception, console: Console, *, debug: bool) -> int:
    """Print the error on the console (standard error) and return the exit status."""
    status, message = _status_and_message(error)
    with contextlib.suppress(OSError, ValueError):  # the status says it, too, where standard error is full or closed
        if debug:
            trace = "".join(traceback.format_exception(error))
            console.print(trace, markup=False, highlight=False, end="", soft_wrap=True)
        console.print(f"[bold red]kineseg:[/] {_escaped(message)}", highlight=False, soft_wrap=True)
    return status


def _status_and_message(error: Exception) -> tuple[int, str]:
    match error:
        case SourceLost():
            return FAILED, str(error)
        case SourceError() | SinkError():
            return WRONG_INPUT, str(error)
        case CommandError() | MotionError() | BadBundle() | BadFile() | BadSetting():
            return WRONG_INPUT, str(error)
        case RequestError() | InvalidRequest() | UnknownName():
            return WRONG_INPUT, _FIELD.sub(lambda field: _OPTIONS[field[0]], str(error))
        case KinesegError():
            return FAILED, f"{error}{' (trying again may help)' if error.retryable else ''}"
        case CannotStart() | ServerFailed():
            return FAILED, str(error)
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            return FAILED, f"{place}{error.strerror or error}"
    return FAILED, f"unexpected {type(error).__name__}: {error} (kineseg --debug ... shows where)"


def _escaped(message: str) -> str:
    """On one line, with nothing in it that rich would take for markup."""
    return " ".join(message.split()).replace("[", "\\[")
