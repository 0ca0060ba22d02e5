"""How often a call is tried again, and how long to wait before it is."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Protocol

from kineseg._errors import KinesegError
from kineseg._resuming import may_pass

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0
LONGEST_PATIENCE_S = 5.0


def delays(retries: int) -> Iterator[float]:
    """Seconds to wait before each of `retries` further tries.

    The bound doubles each time, and the wait is random between half of it and all of it, so that clients which failed
    together do not come back together.
    """
    bound = FIRST_DELAY_S
    for _ in range(retries):
        yield random.uniform(bound / 2, bound)
        bound = min(LONGEST_DELAY_S, 2 * bound)


def delays_for(limit_s: float) -> Iterator[float]:
    """The same for as many tries as there are in so many seconds: the last one comes when they have passed."""
    until = time.monotonic() + limit_s
    bound = FIRST_DELAY_S
    while (left := until - time.monotonic()) > 0:
        yield min(left, random.uniform(bound / 2, bound))
        bound = min(LONGEST_DELAY_S, 2 * bound)


class Servers(Protocol):
    """Those that may be asked, one after the other."""

    @property
    def address(self) -> Callable[[], str]:
        """Gives the one that is asked now."""

    @property
    def move_on(self) -> Callable[[str], None]:
        """If that is the one given, the next one is asked from now on."""


class Tries:
    """One try after the other, for as long as that is worth while; each at another server than the one before.

    ``while True:``, ``with tries:`` try and leave the loop; after it, sleep `wait_s`. An error after which no other try
    is made is raised.

    Args:
        waits: Seconds before each further one, see `delays`.
        servers: Who is asked.
        worth_another: Whether an error may pass.

    Attributes:
        wait_s: Seconds to wait before the next one: what the server asks for, if it is no more than a few.
    """

    def __init__(
        self, waits: Iterator[float], servers: Servers, worth_another: Callable[[KinesegError], bool] = may_pass
    ) -> None:
        self.wait_s = 0.0
        self._waits = waits
        self._servers = servers
        self._worth_another = worth_another
        self._address = ""

    def begin(self) -> None:
        """A try begins."""
        self._address = self._servers.address()

    def failed(self, errors: Sequence[KinesegError]) -> bool:
        """A try has ended with these; whether another one is to be made."""
        delay_s = next(self._waits, None) if errors and all(map(self._worth_another, errors)) else None
        if delay_s is None:
            return False
        asked_s = max(error.retry_after_s or 0.0 for error in errors)
        self.wait_s = max(delay_s, min(asked_s, LONGEST_PATIENCE_S))
        self._servers.move_on(self._address)
        return True

    def __enter__(self) -> None:
        self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, KinesegError) and self.failed([error])
