"""How long a tick is: what comes within one is stepped together.

A wake-up, a batch of one and a hand-over cost several times what a further row of a batch costs. So where so many
streams send that it matters, what they sent is left to gather, the longer the more they are; where fewer send, nothing
waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

# Streams are counted over so long: a chunk of each, where chunks come as often as is usual for live streams.
_WINDOW_S = 0.05
# About what a chunk takes that is handled by itself.
_EACH_S = 0.0006
# Chunks that are handled by themselves may take up so much of the time; where they would take up so much, none is.
_LITTLE, _MUCH = 0.25, 0.75


class Sender(Protocol):
    """Who sends; `window` is what `Pace.saw` returned last."""

    window: int


class Pace:
    """When the next tick may begin. To be used in one thread.

    Args:
        longest_s: No tick is longer; 0: nothing ever waits.
        clock: What tells the time, in seconds.
    """

    def __init__(self, longest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest_s = longest_s
        self._clock = clock
        self._window_began = clock()
        self._window = 0
        self._seen = 0
        self._seen_before = 0
        self._began = self._window_began - longest_s

    def saw(self, last: int) -> int:
        """A stream has sent something: counts it, unless it has been counted in this window.

        Args:
            last: What the stream's last call returned; -1 at first.

        Returns:
            The number of the window.
        """
        if last != self._window:
            self._seen += 1
        return self._window

    def saw_all(self, senders: Iterable[Sender]) -> None:
        """The same of many streams that keep that number themselves."""
        window = self._window
        for sender in senders:
            if sender.window != window:
                sender.window = window
                self._seen += 1

    def begin(self) -> None:
        """A tick begins now."""
        now = self._began = self._clock()
        if now - self._window_began >= _WINDOW_S:
            # Where nothing has begun for longer than a window, no one has sent in the last one either.
            self._seen_before = self._seen if now - self._window_began < 2 * _WINDOW_S else 0
            self._seen = 0
            self._window_began = now
            self._window += 1

    def wait_s(self) -> float:
        """How long it is until the next tick may begin; 0 when it may at once."""
        busy = max(self._seen, self._seen_before) * _EACH_S / _WINDOW_S
        if busy <= _LITTLE:
            return 0.0
        tick_s = self._longest_s * min(1.0, (busy - _LITTLE) / (_MUCH - _LITTLE))
        return max(0.0, tick_s - (self._clock() - self._began))
