"""How long a server that owes an answer has said nothing."""

from __future__ import annotations

import time
from typing import Protocol

from kineseg._errors import KinesegError, Timeout


class Answered(Protocol):
    """A call that the server answers."""

    answers: int

    @property
    def awaits(self) -> bool:
        """Whether the server owes an answer."""

    def finish(self, error: KinesegError | None) -> None:
        """The call has ended."""


class Silence:
    """Ends a stream whose server keeps silent for too long.

    A connection may be alive while what is behind it is not: then nothing else would ever end the waiting.

    Args:
        limit_s: Seconds after which the server is given up, see `Limits.silence_s`.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._since: float | None = None
        self._answers = 0

    def left(self, protocol: Answered) -> float | None:
        """Seconds to wait at most; None: the server owes nothing. At 0 the stream has been ended with `Timeout`."""
        if not protocol.awaits:
            self._since = None
            return None
        now = time.monotonic()
        if self._since is None or self._answers != protocol.answers:
            self._since, self._answers = now, protocol.answers
        left = self._since + self._limit_s - now
        if left > 0:
            return left
        protocol.finish(
            Timeout(f"the server has not answered for {self._limit_s:g} s, though frames that were sent wait for it")
        )
        return 0.0
