"""Structured logs on standard error: one line an event, for machines (json) or for people (console).

A log that cannot be written is lost, and hurts no one: standard error may be closed, or its disk full.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Literal

import structlog

Log = structlog.typing.FilteringBoundLogger


def configure_logs(level: str = "info", log_format: Literal["json", "console"] = "console") -> None:
    """Sets the form and the least level of all log lines of this process."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if log_format == "json":
        shared += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain tracebacks: the pretty ones print local variables, and with them what clients have sent.
        plain = structlog.dev.plain_traceback
        shared.append(structlog.dev.ConsoleRenderer(colors=is_terminal(), exception_formatter=plain))
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: _StandardError(),
        cache_logger_on_first_use=False,
    )


class _StandardError:
    """Writes lines to standard error, looked up at each: it may be replaced while the process runs."""

    def msg(self, message: str) -> None:
        """Writes a line, or loses it."""
        if sys.stderr is not None:  # it is where the process was started without one
            with contextlib.suppress(Exception):
                # In one piece: other processes of the server write to the same standard error.
                sys.stderr.write(f"{message}\n")
                sys.stderr.flush()

    log = debug = info = warn = warning = error = critical = exception = failure = fatal = msg


def is_terminal() -> bool:
    """Whether standard error is one."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


@contextlib.contextmanager
def harmless(helper: str) -> Iterator[None]:
    """What a helper fails at is logged, and goes no further."""
    try:
        yield
    except Exception:
        get_logger(__name__).exception("a helper failed", helper=helper)


def configure_logs_once(level: str, log_format: Literal["json", "console"]) -> None:
    """The same, unless this process has set its logs already."""
    if not structlog.is_configured():
        configure_logs(level, log_format)


def get_logger(name: str) -> Log:
    """The logger of a module."""
    logger: Log = structlog.get_logger(module=name)
    return logger
