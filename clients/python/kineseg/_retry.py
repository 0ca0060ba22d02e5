"""How often a call is tried again, and how long to wait before it is."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from kineseg._errors import KinesegError

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0
LONGEST_PATIENCE_S = 5.0


def delays(retries: int) -> Iterator[float]:
    """Seconds to wait before each of `retries` further tries.

    The bound doubles each time, and the wait is random between half of it and all of it, so that clients which failed
    together do not come back together.
    """
    for attempt in range(retries):
        bound = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**attempt)
        yield random.uniform(bound / 2, bound)


def delays_for(limit_s: float) -> Iterator[float]:
    """The same for as many tries as there are in so many seconds: the last one comes when they have passed."""
    until = time.monotonic() + limit_s
    bound = FIRST_DELAY_S
    while (left := until - time.monotonic()) > 0:
        yield min(left, random.uniform(bound / 2, bound))
        bound = min(LONGEST_DELAY_S, 2 * bound)


def wait_s(delay_s: float, error: KinesegError) -> float:
    """How long to wait after an error: what the server asks for, if it is no more than a few seconds."""
    return max(delay_s, min(error.retry_after_s or 0.0, LONGEST_PATIENCE_S))
