"""Says how far kernels are compiled: on a terminal in a line that changes, in a log every ten seconds."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from kineseg_service.logs import get_logger, is_terminal

_EVERY_S = 10.0
_TITLE = "compiling kernels, once after an installation or an update"

_log = get_logger(__name__)


@contextlib.contextmanager
def compilation_shown(seconds: Callable[[], float] = time.monotonic) -> Iterator[Callable[[int, int], None]]:
    """Gives what hears how many kernels are compiled, and of how many."""
    if not is_terminal():
        yield _Logged(seconds)
        return
    line = _Line()
    try:
        yield line
    finally:
        line.end()


class _Logged:
    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds, self._next_s = seconds, seconds()

    def __call__(self, done: int, of: int) -> None:
        if self._seconds() >= self._next_s:
            self._next_s = self._seconds() + _EVERY_S
            _log.warning(_TITLE, done=done, of=of, percent=100 * done // of)


class _Line:
    def __init__(self) -> None:
        self._begun = False

    def __call__(self, done: int, of: int) -> None:
        self._begun = True
        _write(f"\r{_TITLE}: {done} of {of}")

    def end(self) -> None:
        """What is written next stands in a line of its own."""
        if self._begun:
            _write("\n")


def _write(text: str) -> None:
    with contextlib.suppress(Exception):  # as a log line that cannot be written
        sys.stderr.write(text)
        sys.stderr.flush()
