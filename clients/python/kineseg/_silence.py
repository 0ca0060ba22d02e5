"""How long a server that owes an answer has said nothing."""

from __future__ import annotations

import time
from typing import Protocol

from kineseg._config import Limits
from kineseg._errors import KinesegError, Timeout


class Asked:
    """When something was first sent after the last answer.

    Attributes:
        at: By `time.monotonic`.
    """

    def __init__(self) -> None:
        self.at = 0.0
        self._answers = -1

    def note(self, answers: int) -> None:
        """Something is sent, after so many answers."""
        if self._answers != answers:
            self._answers, self.at = answers, time.monotonic()


class Answered(Protocol):
    """A call that the server answers."""

    answers: int
    asked: Asked

    @property
    def awaits(self) -> bool:
        """Whether the server owes an answer."""

    @property
    def resumes(self) -> bool:
        """Whether another call can go on with what this one has begun."""

    @property
    def progress(self) -> int:
        """How often something has come of it."""

    def finish(self, error: KinesegError | None) -> None:
        """The call has ended."""


class Silence:
    """Ends a stream whose server keeps silent for too long; one that can be resumed has its call ended first.

    A connection may be alive while what is behind it is not: then nothing else would ever end the waiting.

    Args:
        limits: Seconds after which the server is given up, see `Limits.silence_s` and `Limits.stall_s`.
    """

    def __init__(self, limits: Limits) -> None:
        self._limit_s = limits.silence_s
        self._stall_s = min(limits.stall_s, limits.silence_s)
        self._heard_at = 0.0
        self._answers = 0
        self._stalled_s = 0.0  # in all calls since there was progress
        self._progress = 0

    def left(self, protocol: Answered) -> float:
        """Seconds to wait at most before this is asked again.

        At 0 the call is to be cancelled: the stream has been ended with `Timeout`, or another call may go on.
        """
        now = time.monotonic()
        if self._answers != protocol.answers or not protocol.awaits:
            self._heard_at, self._answers = now, protocol.answers
        if self._progress != protocol.progress:
            self._progress, self._stalled_s = protocol.progress, 0.0
        limit_s = self._stall_s if protocol.resumes else self._limit_s
        left = max(self._heard_at, protocol.asked.at) + limit_s - now
        if left > 0:
            return left
        self._heard_at = now
        self._stalled_s += limit_s
        if self._stalled_s >= self._limit_s:
            protocol.finish(
                Timeout(
                    f"the server has not answered for {self._limit_s:g} s, though frames that were sent wait for it"
                )
            )
        return 0.0
