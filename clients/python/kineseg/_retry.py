"""How often a call is tried again, and how long to wait before it is."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0


def delays(retries: int) -> Iterator[float]:
    """Seconds to wait before each of `retries` further tries.

    The bound doubles each time, and the wait is random between half of it and all of it, so that clients which failed
    together do not come back together.
    """
    for attempt in range(retries):
        bound = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**attempt)
        yield random.uniform(bound / 2, bound)
