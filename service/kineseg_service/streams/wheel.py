"""Turns that come again and again: of many streams some have theirs at any time, and those go together.

With a timer each they would wake two other threads as often as there are streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kineseg_service.logs import harmless

_SPOKES = 32

Turn = Callable[[], object]


class Wheel:
    """Lets each of those that are on it have a turn about every so often. To be used in one event loop.

    Args:
        every_s: That often. The first one comes after half as long at least, and three halves at most.
    """

    def __init__(self, every_s: float) -> None:
        self._step_s = every_s / _SPOKES
        self._loop = asyncio.get_running_loop()
        self._spokes: list[dict[Turn, int]] = [{} for _ in range(_SPOKES)]
        self._steps = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, turn: Turn) -> None:
        """Puts one on it, where the fewest are."""
        soonest = self._steps + _SPOKES // 2
        first = min(range(soonest, soonest + _SPOKES), key=lambda step: len(self._spokes[step % _SPOKES]))
        self._spokes[first % _SPOKES][turn] = first
        if self._timer is None:
            self._timer = self._loop.call_later(self._step_s, self._step)

    def remove(self, turn: Turn) -> None:
        """Takes it off again, if it is on it."""
        for spoke in self._spokes:
            spoke.pop(turn, None)

    def _step(self) -> None:
        self._steps += 1
        for turn, first in list(self._spokes[self._steps % _SPOKES].items()):
            if first <= self._steps:
                with harmless("turns"):
                    turn()
        is_empty = not any(self._spokes)
        self._timer = None if is_empty else self._loop.call_later(self._step_s, self._step)
