"""How long to wait before a receiver is tried again."""

from __future__ import annotations

import random

_FIRST_S, _LONGEST_S = 0.5, 60.0
_LONGEST_ASKED_S = 3600.0


class Backoff:
    """Longer and longer waits with full jitter, so that many who lost one receiver do not come back at once."""

    def __init__(self) -> None:
        self._most_s = _FIRST_S

    def next_s(self, asked_s: float | None = None) -> float:
        """The next wait, seconds; no shorter than what the receiver asked for."""
        wait = random.uniform(0.5, 1.0) * self._most_s
        self._most_s = min(2 * self._most_s, _LONGEST_S)
        return max(wait, min(asked_s or 0.0, _LONGEST_ASKED_S))

    def reset(self) -> None:
        """The receiver is there."""
        self._most_s = _FIRST_S
