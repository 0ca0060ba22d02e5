"""When streams that are ahead of their own time may step: who sends as a motion goes on does not wait for them long."""

from __future__ import annotations

import time
from collections.abc import Callable

# So many at once, where others have stepped of late: the next of those waits for so many rows of a batch. Those that
# are equally far are all looked at in the same step. Behind eight of them one chunk in a hundred waits for 4 ms, behind
# four for 1.7; a frame of theirs costs 95 us then, and not 73.
_FEW = 4
_OF_LATE_S = 1.0
# However many others there are, those that are ahead step at least this often.
_AT_LEAST_EVERY_S = 0.05


class Turns:
    """What all queues of streams have in common. To be used in one thread.

    Args:
        clock: What tells the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._others_at = self._ahead_at = clock() - _OF_LATE_S

    @property
    def overdue(self) -> bool:
        """Those that are ahead have not stepped for long, if there are any."""
        return self._clock() - self._ahead_at >= _AT_LEAST_EVERY_S

    def room(self, others: int, most: int) -> int:
        """How many of those that are ahead, which wait, may step with so many others, where `most` may step at once."""
        now = self._clock()
        if others:
            self._others_at = now
            if not self.overdue:
                return 0
        self._ahead_at = now
        return min(most - others, _FEW if now - self._others_at < _OF_LATE_S else most)
