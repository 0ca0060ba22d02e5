"""Structured logs on standard error: one line an event, for machines (json) or for people (console)."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


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
        shared.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain))
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Looked up at each line: standard error may be replaced while the process runs.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def configure_logs_once(level: str, log_format: Literal["json", "console"]) -> None:
    """The same, unless this process has set its logs already."""
    if not structlog.is_configured():
        configure_logs(level, log_format)


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a module."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return logger
