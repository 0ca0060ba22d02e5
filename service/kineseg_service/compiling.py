"""Says how far kernels are compiled: on a terminal in a line that changes, in a log every ten seconds."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from kineseg_service.logs import get_logger, is_terminal

_EVERY_S = 10.0
_TITLES = {
    False: "compiling kernels, once after an installation or an update",
    True: "compiling kernels of streams of joints alone, once after an installation or an update",
}
"""By whether other streams are left out."""

_log = get_logger(__name__)


@contextlib.contextmanager
def compilation_shown(
    seconds: Callable[[], float] = time.monotonic, *, joints_only: bool = False
) -> Iterator[Callable[[int, int], None]]:
    """Gives what hears how many kernels are compiled, and of how many.

    Args:
        seconds: The time now.
        joints_only: What other streams need is not compiled.
    """
    title = _TITLES[joints_only]
    if not is_terminal():
        yield _Logged(title, seconds)
        return
    line = _Line(title)
    try:
        yield line
    finally:
        line.end()


class _Logged:
    def __init__(self, title: str, seconds: Callable[[], float]) -> None:
        self._title, self._seconds, self._next_s = title, seconds, seconds()

    def __call__(self, done: int, of: int) -> None:
        if self._seconds() >= self._next_s:
            self._next_s = self._seconds() + _EVERY_S
            _log.warning(self._title, done=done, of=of, percent=100 * done // of)


class _Line:
    def __init__(self, title: str) -> None:
        self._title, self._begun = title, False

    def __call__(self, done: int, of: int) -> None:
        self._begun = True
        _write(f"\r{self._title}: {done} of {of}")

    def end(self) -> None:
        """What is written next stands in a line of its own."""
        if self._begun:
            _write("\n")


def _write(text: str) -> None:
    with contextlib.suppress(Exception):  # as a log line that cannot be written
        sys.stderr.write(text)
        sys.stderr.flush()
